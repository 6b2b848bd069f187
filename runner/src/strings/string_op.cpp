#include "string_op.hpp"

#include <cstdlib>

#include "error.hpp"
#include "tensors.hpp"

namespace graphc_core {

namespace L = layout;
using Word = std::int64_t;

const Word* StringCall::operand(std::size_t number, Word dtype, Word rank) const {
  if (number >= operands.size() || operands[number][L::SLOT_DTYPE] != dtype ||
      (rank >= 0 && operands[number][L::SLOT_RANK] != rank))
    damaged("an op on strings has other operands than it takes");
  return operands[number];
}

Word StringCall::result_dtype(std::size_t number) const {
  if (number >= results.size()) damaged("an op on strings has fewer results than it gives");
  return results[number][L::SLOT_DTYPE];
}

Word StringCall::reserve(std::size_t number, Word dtype, const std::vector<Word>& sizes) const {
  const Word rank = static_cast<Word>(sizes.size());
  if (result_dtype(number) != dtype || results[number][L::SLOT_RANK] != rank)
    damaged("an op on strings has other results than it gives");
  const Word made = library.gc_slot_reserve(host.address(), address_of(results[number]), rank, address_of(sizes.data()));
  if (!made) throw_error(GRAPHC_RESOURCE_EXHAUSTED, "no memory for a result");
  return made;
}

std::string shown(std::string_view text) {
  std::string made = "'";
  for (const char c : text.substr(0, 60)) made += c >= 32 && c < 127 ? c : '?';
  return made + "'";
}

Word elements_of(const Word* slot) {
  Word count = 1;
  for (Word axis = 0; axis < slot[L::SLOT_RANK]; ++axis) count *= slot[L::SLOT_SIZES + axis];
  return count;
}

Word data_of(const Word* slot) { return slot[L::SLOT_ADDRESS]; }

std::vector<Word> sizes_of(const Word* slot) {
  return {slot + L::SLOT_SIZES, slot + L::SLOT_SIZES + slot[L::SLOT_RANK]};
}

Word only_word(const Word* slot) {
  if (elements_of(slot) != 1) damaged("an operand of an op on strings has more than one element");
  return *words_at(data_of(slot));
}

// "op:Type(field=value, ...)", behind "strings:...:".
StringOpFields::StringOpFields(std::string_view name) {
  const std::size_t op = name.find(":op:"), open = name.find('(');
  if (op == name.npos || open == name.npos || open < op || name.back() != ')') return;
  type_ = std::string(name.substr(op + 4, open - op - 4));
  fields_ = name.substr(open, name.size() - open);
}

std::vector<std::string_view> StringOpFields::parts(std::string_view written) const {
  std::vector<std::string_view> found;
  if (written.size() < 2 || written.front() != '(') return found;
  std::size_t depth = 0, begin = 1;
  char quote = 0;
  for (std::size_t i = 1; i < written.size(); ++i) {
    const char c = written[i];
    if (quote) {
      if (c == '\\') ++i;
      else if (c == quote) quote = 0;
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == '(') {
      ++depth;
    } else if ((c == ',' || c == ')') && !depth) {
      if (i > begin) found.push_back(written.substr(begin, i - begin));
      begin = i + 2;                                 // behind ", "
    } else if (c == ')') {
      --depth;
    }
  }
  return found;
}

std::string_view StringOpFields::value(const char* field) const {
  const std::string_view wanted = field;
  for (const std::string_view part : parts(fields_))
    if (part.size() > wanted.size() && part.substr(0, wanted.size()) == wanted && part[wanted.size()] == '=')
      return part.substr(wanted.size() + 1);
  return {};
}

Word whole_number(std::string_view written) {
  return static_cast<Word>(std::strtoull(std::string(written).c_str(), nullptr, 10));
}

bool StringOpFields::text(std::string_view written, std::string& made) const {
  made.clear();
  if (written.size() < 2 || (written.front() != '\'' && written.front() != '"')) return false;
  for (std::size_t i = 1; i + 1 < written.size(); ++i) {
    char c = written[i];
    if (c == '\\') {
      const char escape = written[++i];
      if (escape == 'n') c = '\n';
      else if (escape == 't') c = '\t';
      else if (escape == 'r') c = '\r';
      else if (escape == '\\' || escape == '\'' || escape == '"') c = escape;
      else if (escape != 'x' || i + 3 >= written.size()) return false;
      else {
        const long code = std::strtol(std::string(written.substr(i + 1, 2)).c_str(), nullptr, 16);
        i += 2;
        if (code >= 0x80) made += static_cast<char>(0xC0 | code >> 6);           // in UTF-8
        c = static_cast<char>(code >= 0x80 ? 0x80 | (code & 0x3F) : code);
      }
    }
    made += c;
  }
  return true;
}

}  // namespace graphc_core

void gc_open_string_op(const std::string& name, std::unique_ptr<graphc_core::StringOp>& made) {
  const graphc_core::StringOpFields fields(name);
  made = graphc_core::letters_op(fields);
  if (!made) made = graphc_core::records_op(fields, name);
}
