// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace raphe {

class Document;

/// A Lua script that makes this document, to the byte: what it was when it was opened, and every command since then
/// that has not been undone. The script returns it, and writes it to the file that its first argument names. What does
/// not lead to the same bytes (the file that a variant extends has changed) is replaced by the document as it is.
std::string scriptOf(const Document& document);

/// A text as Lua writes it in one piece, line by line.
std::string luaLongText(const std::string& text);

} // namespace raphe
