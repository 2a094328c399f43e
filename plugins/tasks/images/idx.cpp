// SPDX-License-Identifier: Apache-2.0
#include "idx.h"

#include "raphe/error.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

namespace raphe {

namespace {

constexpr std::size_t mostDimensions = 4;

class Reader {
public:
    explicit Reader(const std::string& path) : path_(path), file_(gzopen(path.c_str(), "rb")) {
        if (!file_) fail(std::string("cannot be opened: ") + std::strerror(errno));
        gzbuffer(file_.get(), 1 << 17);
    }
    [[noreturn]] void fail(const std::string& sentence) const { throw Error(path_, sentence); }

    /// @return bytes read; fewer than asked for at the end of the file
    std::size_t read(std::uint8_t* to, std::size_t count) {
        std::size_t done = 0;
        while (done < count) {
            const auto part = static_cast<unsigned>(std::min<std::size_t>(count - done, 1 << 20));
            const int got = gzread(file_.get(), to + done, part);
            if (got < 0) {
                int code = 0;
                const char* text = gzerror(file_.get(), &code);
                fail(std::string("is damaged: ") + (code == Z_ERRNO ? std::strerror(errno) : text));
            }
            if (got == 0) {
                int code = Z_OK;
                gzerror(file_.get(), &code);
                if (code == Z_BUF_ERROR) fail("is damaged: its compressed data end too early; fetch it again");
                break;
            }
            done += static_cast<std::size_t>(got);
        }
        return done;
    }

private:
    struct Close {
        void operator()(gzFile file) const { gzclose(file); }
    };
    const std::string& path_;
    std::unique_ptr<std::remove_pointer_t<gzFile>, Close> file_;
};

} // namespace

IdxArray readIdx(const std::string& path, std::size_t limit) {
    Reader reader(path);
    std::array<std::uint8_t, 4> head{};
    const auto headBytes = reader.read(head.data(), head.size());
    if (headBytes < head.size() || head[0] != 0 || head[1] != 0)
        reader.fail("is no IDX file: it does not begin with two zero bytes, a type and a number of dimensions");
    if (head[2] != 8)
        reader.fail("holds numbers of type " + std::to_string(head[2]) + "; only unsigned bytes (8) are read");
    if (head[3] < 1 || head[3] > mostDimensions)
        reader.fail("has " + std::to_string(head[3]) + " dimensions; expected 1 to " + std::to_string(mostDimensions));
    IdxArray result;
    std::size_t count = 1;
    for (int d = 0; d < head[3]; ++d) {
        std::array<std::uint8_t, 4> bytes{};
        if (reader.read(bytes.data(), bytes.size()) < bytes.size()) reader.fail("ends within its header");
        std::size_t size = 0;
        for (const auto byte : bytes) size = size << 8 | byte;
        if (size == 0) reader.fail("has a dimension of size 0");
        if (size > limit / count)
            reader.fail("says that it holds more than " + std::to_string(limit) + " values, which is the limit here");
        count *= size;
        result.shape.push_back(size);
    }
    constexpr std::size_t step = std::size_t{1} << 22;
    while (result.values.size() < count) {
        const auto have = result.values.size(), part = std::min(step, count - have);
        result.values.resize(have + part);
        const auto got = reader.read(result.values.data() + have, part);
        if (got < part)
            reader.fail("ends after " + std::to_string(have + got) + " of " + std::to_string(count) +
                        " values; fetch it again");
    }
    std::uint8_t more = 0;
    if (reader.read(&more, 1) != 0)
        reader.fail("goes on after the " + std::to_string(count) + " values that its header announces");
    return result;
}

} // namespace raphe
