// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/shell/priority.h"

#ifdef __linux__
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace raphe {

void stepBackBehindTheWindow() {
#ifdef __linux__
    constexpr int steps = 5;
    thread_local bool done = false;
    if (done) return;
    done = true;
    const auto thread = static_cast<id_t>(syscall(SYS_gettid)); // on Linux each thread has a priority of its own
    setpriority(PRIO_PROCESS, thread, getpriority(PRIO_PROCESS, thread) + steps);
#endif
}

} // namespace raphe
