// SPDX-License-Identifier: Apache-2.0
#include "engine/base/npy_header.h"

#include "raphe/error.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace raphe::npy {
namespace {

constexpr std::array<Type, 5> readableTypes{{{"<f4", 4, Precision::float32},
                                             {"<f8", 8, Precision::float64},
                                             {"<i4", 4, Precision::float64},
                                             {"<i8", 8, Precision::float64},
                                             {"|b1", 1, Precision::float64}}};

class HeaderParser {
public:
    HeaderParser(std::string_view text, const std::string& place) : text_(text), place_(place) {}

    Header parse(std::size_t maxExtents) {
        Header header;
        bool order = false, shape = false;
        expect('{');
        while (!accept('}')) {
            const auto key = quotedText();
            expect(':');
            if (key == "descr" && !header.type)
                header.type = type();
            else if (key == "fortran_order" && !order)
                order = true, header.fortranOrder = boolean();
            else if (key == "shape" && !shape)
                shape = true, header.shape = extents(maxExtents);
            else
                fail(fmt::format("unexpected or repeated key {}", shown(key)));
            if (!accept(',')) {
                expect('}');
                break;
            }
        }
        skipSpace();
        if (at_ != text_.size()) fail("text after the dictionary");
        if (!header.type || !order || !shape) fail("one of descr, fortran_order and shape is missing");
        return header;
    }

private:
    [[noreturn]] void fail(const std::string& what) const {
        throw Error(place_,
                    fmt::format("the .npy header is not valid ({}); save the array again with numpy.savez", what));
    }
    void skipSpace() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
    }
    bool accept(char c) {
        skipSpace();
        if (at_ >= text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }
    void expect(char c) {
        if (!accept(c)) fail(fmt::format("expected '{}' at byte {}", c, at_));
    }
    std::string_view quotedText() {
        skipSpace();
        if (at_ >= text_.size() || (text_[at_] != '\'' && text_[at_] != '"'))
            fail(fmt::format("expected a text at byte {}", at_));
        const auto end = text_.find(text_[at_], at_ + 1);
        if (end == std::string_view::npos) fail("a text does not end");
        const auto result = text_.substr(at_ + 1, end - at_ - 1);
        at_ = end + 1;
        return result;
    }
    const Type* type() {
        skipSpace();
        const bool structured = at_ < text_.size() && text_[at_] == '[';
        const auto name = structured ? std::string_view{"a structured type"} : quotedText();
        for (const auto& known : readableTypes)
            if (known.name == name) return &known;
        throw Error(place_, fmt::format("has the type {}, but only <f4, <f8, <i4, <i8 and |b1 are read; save it with "
                                        ".astype('float64')",
                                        shown(name)));
    }
    bool boolean() {
        skipSpace();
        for (const auto& [word, value] : {std::pair<std::string_view, bool>{"True", true}, {"False", false}}) {
            if (text_.substr(at_, word.size()) != word) continue;
            at_ += word.size();
            return value;
        }
        fail("fortran_order is neither True nor False");
    }
    std::vector<std::int64_t> extents(std::size_t most) {
        std::vector<std::int64_t> result;
        expect('(');
        while (!accept(')')) {
            if (result.size() == most) fail(fmt::format("more than {} dimensions", most));
            result.push_back(extent());
            if (accept(',')) continue;
            if (result.size() == 1) fail("a tuple of one needs a comma");
            expect(')');
            break;
        }
        return result;
    }
    std::int64_t extent() {
        skipSpace();
        const auto first = at_;
        std::int64_t value = 0;
        for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
            if (at_ - first >= 18) fail("an extent is too large");
            value = value * 10 + (text_[at_] - '0');
        }
        if (at_ == first) fail(fmt::format("expected an extent >= 0 at byte {}", at_));
        return value;
    }

    std::string_view text_;
    const std::string& place_;
    std::size_t at_ = 0;
};

} // namespace

std::string headerOf(const Tensor& tensor) {
    std::string shape;
    for (const auto extent : tensor.shape) shape += fmt::format("{}, ", extent);
    if (tensor.shape.size() > 1) shape.resize(shape.size() - 2); // (3,) but (3, 4)
    if (tensor.shape.size() == 1) shape.pop_back();
    auto text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}",
                            tensor.precision == Precision::float32 ? "<f4" : "<f8", shape);
    // Numbers begin at a multiple of 64 bytes, so that the array can be mapped into memory.
    const auto unpadded = magic.size() + 4 + text.size() + 1;
    text.append((64 - unpadded % 64) % 64, ' ');
    text += '\n';
    std::string header(magic);
    header += '\x01';
    header += '\0';
    header += static_cast<char>(text.size() & 0xff);
    header += static_cast<char>(text.size() >> 8);
    return header + text;
}

Header parseHeader(std::string_view text, const std::string& place, std::size_t maxExtents) {
    return HeaderParser(text, place).parse(maxExtents);
}

std::string shown(std::string_view word) {
    std::string text;
    for (const unsigned char c : word.substr(0, 80))
        text += c < 0x20 || c >= 0x7f ? fmt::format("\\x{:02x}", c) : std::string(1, static_cast<char>(c));
    return '"' + text + (word.size() > 80 ? "...\"" : "\"");
}

} // namespace raphe::npy
