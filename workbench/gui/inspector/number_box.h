// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "raphe/declaration.h"

#include <QAbstractSpinBox>

namespace raphe {

/// A number with arrows to step it. Whatever is typed stays, so that it can be explained; nothing is bent into range.
class NumberBox final : public QAbstractSpinBox {
    Q_OBJECT

public:
    NumberBox(const ParamInfo& info, const QString& value);

    QString value() const;
    bool typed() const; ///< something was typed that has not been taken over
    void takenOver();

Q_SIGNALS:
    void edited();                      ///< something is being typed
    void stepped(const QString& value); ///< by the arrows or the arrow keys

protected:
    QValidator::State validate(QString&, int&) const override { return QValidator::Acceptable; }
    void fixup(QString&) const override {}
    void stepBy(int steps) override;
    StepEnabled stepEnabled() const override { return StepUpEnabled | StepDownEnabled; }
    void wheelEvent(QWheelEvent* event) override;
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

private:
    ParamInfo info_;
    bool typed_ = false;
};

/// A number as one types it.
QString numberText(double value);

} // namespace raphe
