// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/inspector/inspector_page.h"

namespace raphe {

/// The document itself: what it is called, how it is trained, recorded, frozen and perturbed, and how large it is.
class DocumentPage final : public InspectorPage {
    Q_OBJECT

public:
    /// @param opened  stages of which everything is shown; kept by whoever makes the page anew
    DocumentPage(OpenDocument& document, std::vector<bool>& opened);

private:
    void about();
    void fields();
    void recordings();
    void frozen();
    void size();
    std::string baseName() const;
};

/// Parts of a training, one after the other (stage_editors.cpp).
class StagesEditor final : public InspectorPage {
    Q_OBJECT

public:
    StagesEditor(OpenDocument& document, std::vector<bool>& opened);

private:
    void stage(std::size_t i);
    void row(std::size_t i);
    void changedParameters(std::size_t i);
    void schedules(std::size_t i);
    void schedule(std::size_t i, const std::string& key, const Json& written);
    void keepBest(std::size_t i);
    /// Editors for the fields of an object at a place in the stages.
    void fields(const std::string& place, const Json& object, const std::vector<ParamInfo>& infos);
    void rewrite(const std::function<void(Json& stages)>& change);
    void setAt(const std::string& place, const Json& value);
    Json stages() const;
    const DeclarationData* rule() const;

    std::vector<bool>& opened_;
};

} // namespace raphe
