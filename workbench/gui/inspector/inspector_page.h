// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/inspector/value_editor.h"
#include "gui/problems/problem_list.h"

#include <QWidget>

#include <functional>
#include <string>
#include <vector>

class QVBoxLayout;

namespace raphe {

/// What pages of the inspector are made of. A page shows its subject as it is now and is made anew when that changes.
class InspectorPage : public QWidget {
    Q_OBJECT

public:
    explicit InspectorPage(OpenDocument& document);

Q_SIGNALS:
    void searchWanted(const QString& words); ///< among the mechanisms
    void remakeWanted();                     ///< something is to be shown that was not, or the other way round

protected:
    OpenDocument& document() const { return document_; }
    const Experiment& experiment() const { return document_.experiment(); }
    void heading(const QString& words, const QString& small = {});
    void section(const QString& words);
    void paragraph(const QString& html);
    void problems(const std::vector<LocatedProblem>& list);
    ValueEditor& value(EditedValue value);
    QWidget& add(QWidget* widget, Qt::Alignment alignment = {});
    void button(const QString& words, const QString& place, const std::function<void()>& act);
    /// Patterns of tensors that are not trained, each with what it matches.
    void patterns(const QString& place, const Json& list, const std::function<void(const std::string&)>& append,
                  const std::function<void(const std::string&)>& remove);
    /// Entries of the document's interventions, and those that belong here.
    void interventions(const std::function<bool(const Intervention&)>& concerns);
    QVBoxLayout* column() const { return layout_; }

private:
    OpenDocument& document_;
    QVBoxLayout* layout_;
};

/// Tensors that an experiment has; of one with problems, those that its mechanisms declare.
std::vector<std::string> tensorNames(const Document& document);

} // namespace raphe
