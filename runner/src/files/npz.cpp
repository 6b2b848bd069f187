#include "npz.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>

#include "error.hpp"
#include "tensors.hpp"

namespace graphc_core {
namespace {

constexpr char MEMBER[] = ".npy", ZIP_MAGIC[] = "PK";
constexpr std::uint64_t LIMIT = (std::uint64_t{1} << 31) - 1;      // what is larger stands in fields of 64 bits, as Python's
constexpr std::uint32_t IS_ELSEWHERE = 0xFFFFFFFF;                 // in place of it
constexpr std::size_t LOCAL_BYTES = 30, CENTRAL_BYTES = 46, END_BYTES = 22, LONGEST_COMMENT = 0xFFFF;

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw_error(GRAPHC_INVALID_ARGUMENT, path + ": " + why);
}

std::array<std::uint32_t, 256> crc_table() {
  std::array<std::uint32_t, 256> made{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = value & 1 ? 0xEDB88320u ^ (value >> 1) : value >> 1;
    made[i] = value;
  }
  return made;
}

// CRC-32, the checksum of zip archives.
std::uint32_t crc32(std::string_view data, std::uint32_t before = 0) {
  const std::array<std::uint32_t, 256> table = crc_table();      // in two microseconds; in a program it would be 1 KB
  std::uint32_t crc = ~before;
  for (const char c : data) crc = table[(crc ^ static_cast<unsigned char>(c)) & 0xFF] ^ (crc >> 8);
  return ~crc;
}

// A file whose parts are read where they stand.
class Input {
 public:
  explicit Input(const std::string& path) : path_(path), file_(std::fopen(path.c_str(), "rb"), std::fclose) {
    if (!file_ || std::fseek(file_.get(), 0, SEEK_END) != 0 || (size_ = std::ftell(file_.get())) < 0)
      throw_error(GRAPHC_NOT_FOUND, "cannot read " + path + ": " + std::strerror(errno));
  }

  std::uint64_t size() const { return static_cast<std::uint64_t>(size_); }

  std::vector<char> read(std::uint64_t offset, std::uint64_t bytes) const {
    if (offset > size() || bytes > size() - offset) refuse(path_, "a damaged .npz file");
    std::vector<char> data(bytes);
    if (std::fseek(file_.get(), static_cast<long>(offset), SEEK_SET) != 0 ||
        std::fread(data.data(), 1, bytes, file_.get()) != bytes)
      refuse(path_, "cannot be read");
    return data;
  }

  bool is_zip() const { return size() >= 2 && std::memcmp(read(0, 2).data(), ZIP_MAGIC, 2) == 0; }

 private:
  std::string path_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
  long size_ = 0;
};

// A number in a header, low bytes first.
template <class Number>
std::uint64_t number(const std::vector<char>& data, std::size_t at) {
  Number value = 0;
  if (at <= data.size() && sizeof value <= data.size() - at) std::memcpy(&value, data.data() + at, sizeof value);
  return value;
}
constexpr auto u16 = number<std::uint16_t>;
constexpr auto u32 = number<std::uint32_t>;
constexpr auto u64 = number<std::uint64_t>;

bool is_signed(const std::vector<char>& data, std::size_t at, const char (&signature)[5]) {
  return at <= data.size() && 4 <= data.size() - at && std::memcmp(data.data() + at, signature, 4) == 0;
}

struct Member {
  std::string name;                    // of the array
  std::uint64_t flags, method, crc, stored, size, at;
};

// Sizes and the offset that stand in the field of 64 bits after the name, one after the other.
void take_wide(Member& member, const std::vector<char>& data, std::size_t at, std::size_t end) {
  for (std::size_t next; at + 4 <= end; at = next) {
    next = at + 4 + u16(data, at + 2);
    if (u16(data, at) != 1) continue;
    at += 4;
    for (std::uint64_t* field : {&member.size, &member.stored, &member.at})
      if (*field == IS_ELSEWHERE && at + 8 <= std::min(next, end)) *field = u64(data, at), at += 8;
  }
}

// The archive's list of members, from its end.
std::vector<char> directory(const Input& file, const std::string& path) {
  const std::uint64_t longest = END_BYTES + LONGEST_COMMENT, begin = file.size() - std::min(file.size(), longest);
  const std::vector<char> tail = file.read(begin, file.size() - begin);
  for (std::size_t at = tail.size() < END_BYTES ? 0 : tail.size() - END_BYTES + 1; at-- > 0;) {
    if (!is_signed(tail, at, "PK\5\6")) continue;
    const std::uint64_t bytes = u32(tail, at + 12), offset = u32(tail, at + 16);
    if (bytes != IS_ELSEWHERE && offset != IS_ELSEWHERE) return file.read(offset, bytes);
    if (at < 20 || !is_signed(tail, at - 20, "PK\6\7")) break;
    const std::vector<char> wide = file.read(u64(tail, at - 12), 56);
    if (!is_signed(wide, 0, "PK\6\6")) break;
    return file.read(u64(wide, 48), u64(wide, 40));
  }
  refuse(path, "a damaged .npz file");
}

std::vector<Member> members(const Input& file, const std::string& path) {
  const std::vector<char> listed = directory(file, path);
  const std::string ending = MEMBER;
  std::vector<Member> found;
  for (std::size_t at = 0; at < listed.size();) {
    if (!is_signed(listed, at, "PK\1\2") || listed.size() - at < CENTRAL_BYTES) refuse(path, "a damaged .npz file");
    const std::size_t name = at + CENTRAL_BYTES, extra = name + u16(listed, at + 28), comment = extra + u16(listed, at + 30);
    const std::size_t next = comment + u16(listed, at + 32);
    if (next > listed.size()) refuse(path, "a damaged .npz file");
    Member member{std::string(listed.data() + name, extra - name), u16(listed, at + 8), u16(listed, at + 10),
                  u32(listed, at + 16), u32(listed, at + 20), u32(listed, at + 24), u32(listed, at + 42)};
    take_wide(member, listed, extra, comment);
    at = next;
    const std::size_t length = member.name.size();
    if (length < ending.size() || member.name.compare(length - ending.size(), ending.size(), ending) != 0) continue;
    member.name.resize(length - ending.size());
    found.push_back(member);
  }
  return found;
}

std::vector<char> contents(const Input& file, const Member& member, const std::string& path) {
  if (member.flags & 1) refuse(path, "'" + member.name + "' is encrypted");
  if (member.method != 0)
    refuse(path, "'" + member.name + "' is compressed: write the file with numpy.savez, not numpy.savez_compressed");
  const std::vector<char> local = file.read(member.at, LOCAL_BYTES);
  if (!is_signed(local, 0, "PK\3\4") || member.size != member.stored) refuse(path, "a damaged .npz file");
  std::vector<char> data = file.read(member.at + LOCAL_BYTES + u16(local, 26) + u16(local, 28), member.size);
  if (crc32({data.data(), data.size()}) != member.crc) refuse(path, "'" + member.name + "' is damaged (CRC-32)");
  return data;
}

void put(std::string& text, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xFF);
}

std::uint64_t narrow(std::uint64_t value) { return value > LIMIT ? IS_ELSEWHERE : value; }

// The field of 64 bits for those of the numbers that are too large for their own.
std::string wide_field(std::initializer_list<std::uint64_t> values) {
  std::string numbers, field;
  for (const std::uint64_t value : values) put(numbers, value, 8);
  if (numbers.empty()) return "";
  put(field, 1, 2);
  put(field, numbers.size(), 2);
  return field + numbers;
}

// What the local header and the list of members have in common, from the version on.
std::string description(const Member& member, bool wide, std::size_t extra) {
  const bool is_utf8 = std::any_of(member.name.begin(), member.name.end(), [](char c) { return (c & 0x80) != 0; });
  std::string text;
  put(text, wide ? 45 : 20, 2);
  put(text, is_utf8 ? 0x800 : 0, 2);
  put(text, 0, 4);                     // stored; no time of the day
  put(text, 1 << 5 | 1, 2);            // 1 January 1980, as numpy.savez
  put(text, member.crc, 4);
  put(text, narrow(member.stored), 4);
  put(text, narrow(member.size), 4);
  put(text, member.name.size(), 2);
  put(text, extra, 2);
  return text;
}

std::string local_header(const Member& member) {
  const bool wide = member.size > LIMIT;
  const std::string extra = wide ? wide_field({member.size, member.stored}) : "";
  return "PK\3\4" + description(member, wide, extra.size()) + member.name + extra;
}

std::string listing(const Member& member) {
  const bool is_large = member.size > LIMIT, is_far = member.at > LIMIT;
  const std::string extra = is_large && is_far ? wide_field({member.size, member.stored, member.at})
                            : is_large         ? wide_field({member.size, member.stored})
                            : is_far           ? wide_field({member.at})
                                               : "";
  std::string text = "PK\1\2";
  put(text, is_large || is_far ? 45 : 20, 1);
  put(text, 3, 1);                     // made on Unix
  text += description(member, is_large || is_far, extra.size());
  put(text, 0, 6);                     // no comment; the first disk; no attributes inside
  put(text, std::uint64_t{0600} << 16, 4);
  put(text, narrow(member.at), 4);
  return text + member.name + extra;
}

// What stands after the list of members.
std::string end_of(std::uint64_t count, std::uint64_t at, std::uint64_t bytes) {
  std::string text;
  if (count > 0xFFFF || at > LIMIT || bytes > LIMIT) {
    text += "PK\6\6";
    put(text, 44, 8);
    put(text, 45 | 45 << 16, 4);
    put(text, 0, 8);
    for (const std::uint64_t value : {count, count, bytes, at}) put(text, value, 8);
    text += "PK\6\7";
    put(text, 0, 4);
    put(text, at + bytes, 8);
    put(text, 1, 4);
  }
  text += "PK\5\6";
  put(text, 0, 4);
  for (int i = 0; i < 2; ++i) put(text, std::min<std::uint64_t>(count, 0xFFFF), 2);
  put(text, narrow(bytes), 4);
  put(text, narrow(at), 4);
  put(text, 0, 2);
  return text;
}

}  // namespace

std::string plain(const std::string& name) {
  return name.size() > 2 && name.compare(name.size() - 2, 2, ":0") == 0 ? name.substr(0, name.size() - 2) : name;
}

bool is_archive(const std::string& path) { return path.size() > 4 && path.compare(path.size() - 4, 4, ".npz") == 0; }

std::vector<std::string> names_in(const std::string& path) {
  const Input file(path);
  if (!file.is_zip()) refuse(path, "not a .npz file");
  std::vector<std::string> names;
  for (const Member& member : members(file, path)) names.push_back(member.name);
  return names;
}

Array read_array(const std::string& path, const std::string& name) {
  const Input file(path);
  if (!file.is_zip()) {
    if (!is_npy(file.read(0, std::min<std::uint64_t>(file.size(), 6)))) refuse(path, "not a .npy file");
    return read_npy(file.read(0, file.size()), path);
  }
  const std::vector<Member> all = members(file, path);
  const auto found = std::find_if(all.rbegin(), all.rend(), [&](const Member& one) { return plain(one.name) == plain(name); });
  if (found != all.rend()) return read_npy(contents(file, *found, path), path);
  std::string known;
  for (const Member& member : all) known += (known.empty() ? "" : ", ") + plain(member.name);
  throw_error(GRAPHC_NOT_FOUND, path + " has no array '" + plain(name) + "'; it has " + (known.empty() ? "none" : known));
}

WholeFile npz_file(const std::string& path, const std::vector<std::pair<std::string, graphc_tensor>>& arrays) {
  WholeFile file(path);
  std::string list;
  std::uint64_t at = 0;
  for (const auto& [name, tensor] : arrays) {
    const NpyParts parts = npy_parts(tensor, path);
    const std::string_view elements = parts.padded.empty() ? parts.elements : std::string_view(parts.padded);
    const std::uint64_t size = parts.header.size() + elements.size();
    const Member member{name + MEMBER, 0, 0, crc32(elements, crc32(parts.header)), size, size, at};
    const std::string local = local_header(member);
    file.write(local);
    file.write(parts.header);
    file.write(elements);
    at += local.size() + size;
    list += listing(member);
  }
  file.write(list);
  file.write(end_of(arrays.size(), at, list.size()));
  file.finish();
  return file;
}

}  // namespace graphc_core
