// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/error.h"

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

/// The bytes in which indexes keep their entries.
namespace raphe {

/// Numbers in the byte order of the machine, texts behind their length. Reading and writing go through the same lines.
class Encoder {
public:
    template <class T>
    void number(const T& value) {
        bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    void text(const std::string& value) {
        number(static_cast<std::uint32_t>(value.size()));
        bytes += value;
    }
    template <class Container, class Each>
    void list(const Container& items, const Each& each) {
        number(static_cast<std::uint32_t>(items.size()));
        for (const auto& item : items) each(item);
    }
    std::string bytes;
};

class Decoder {
public:
    explicit Decoder(std::string_view bytes) : rest_(bytes) {}
    template <class T>
    void number(T& value) {
        std::memcpy(&value, take(sizeof value).data(), sizeof value);
    }
    void text(std::string& value) {
        std::uint32_t size = 0;
        number(size);
        value = take(size);
    }
    std::uint32_t count() {
        std::uint32_t size = 0;
        number(size);
        if (size > rest_.size()) fail();
        return size;
    }
    std::string_view rest() const { return rest_; }
    void end() const {
        if (!rest_.empty()) fail();
    }

private:
    [[noreturn]] static void fail() { throw Error("index of runs", "an entry is damaged; it is made anew"); }
    std::string_view take(std::size_t size) {
        if (size > rest_.size()) fail();
        const auto taken = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return taken;
    }
    std::string_view rest_;
};

} // namespace raphe
