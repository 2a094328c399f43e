// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/scripting/script_draft.h"

#include "engine/base/files.h"
#include "engine/base/set_aside.h"
#include "engine/document/fields.h"
#include "engine/document/json_reader.h"

#include <QFile>
#include <QStringList>
#include <QUuid>

#include <algorithm>

namespace raphe {
namespace {

namespace fs = std::filesystem;

constexpr const char* ending = ".draft";
constexpr JsonLimits limits{.bytes = std::size_t{64} << 20};

fs::path lockOf(fs::path draft) { return draft.replace_extension(".lock"); }

std::unique_ptr<QLockFile> locked(const fs::path& draft) {
    auto lock = std::make_unique<QLockFile>(QString::fromStdString(lockOf(draft).string()));
    lock->setStaleLockTime(0); // stale only if its program is gone
    return lock->tryLock(0) ? std::move(lock) : nullptr;
}

} // namespace

ScriptDraft::ScriptDraft(fs::path folder) : folder_(std::move(folder)) {
    timer_.setSingleShot(true);
    timer_.setInterval(500);
    QObject::connect(&timer_, &QTimer::timeout, [this] { write(); });
}

ScriptDraft::~ScriptDraft() { drop(); }

void ScriptDraft::keep(const fs::path& file, std::function<std::optional<QString>()> text) {
    file_ = file;
    text_ = std::move(text);
    if (!timer_.isActive()) timer_.start(); // while one types on, it is written all the same
}

void ScriptDraft::drop() {
    timer_.stop();
    std::error_code error;
    if (!path_.empty()) fs::remove(path_, error);
    path_.clear();
    lock_.reset();
}

void ScriptDraft::write() {
    const auto text = text_();
    if (!text) return drop();
    std::error_code error;
    if (path_.empty()) {
        fs::create_directories(folder_, error);
        const auto path = folder_ / (QUuid::createUuid().toString(QUuid::WithoutBraces).toStdString() + ending);
        lock_ = locked(path);
        if (!lock_) return; // the folder cannot be written to
        path_ = path;
    }
    // The system has it when the program ends, however it does; nobody waits for the disk.
    const Json content{{"raphe_script", 1}, {"file", file_.string()}, {"text", text->toStdString()}};
    auto temporary = path_;
    temporary += ".new";
    QFile out{QString::fromStdString(temporary.string())};
    const QByteArray bytes = QByteArray::fromStdString(content.dump(-1, ' ', false, Json::error_handler_t::replace));
    if (!out.open(QIODevice::WriteOnly) || out.write(bytes) != bytes.size()) return;
    out.close();
    fs::rename(temporary, path_, error);
}

std::vector<LeftScript> scriptsIn(const fs::path& folder, QStringList& unusable) {
    std::vector<LeftScript> found;
    std::error_code error;
    std::vector<fs::path> drafts;
    for (const auto& entry : fs::directory_iterator(folder, error))
        if (entry.path().extension() == ending && entry.is_regular_file(error)) drafts.push_back(entry.path());
    std::sort(drafts.begin(), drafts.end());
    for (const auto& path : drafts) {
        const auto lock = locked(path);
        if (!lock) continue; // open elsewhere
        try {
            std::string file, text;
            int version = 0;
            fields::readFields(readJson(path, limits), path.filename().string(),
                               {{"raphe_script", fields::integerInto(version, 1, 1)},
                                {"file", fields::textInto(file)},
                                {"text", fields::textInto(text)}});
            found.push_back({path, file, QString::fromStdString(text)});
        } catch (const std::exception& why) {
            try {
                unusable << QStringLiteral("%1; it is kept as %2")
                                .arg(why.what(), QString::fromStdString(setAside(path).filename().string()));
            } catch (const std::exception& neither) {
                unusable << QString::fromUtf8(neither.what());
            }
        }
    }
    return found;
}

void removeDraft(const fs::path& draft) {
    std::error_code error;
    fs::remove(draft, error);
    fs::remove(lockOf(draft), error);
}

} // namespace raphe
