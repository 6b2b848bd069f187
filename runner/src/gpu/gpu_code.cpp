// proto/gpu_code.proto -> the structs of gpu_code.hpp. One function a message.
#include "gpu_code.hpp"

#include "crc32c.hpp"
#include "texts.hpp"
#include "wire.hpp"

namespace graphc_core {
namespace {

using wire::Reader;

constexpr std::int64_t VERSION = 2;

std::int32_t small(Reader& r) {
  const std::int64_t value = r.integer();
  if (value < INT32_MIN || value > INT32_MAX) damaged("a number out of range");
  return static_cast<std::int32_t>(value);
}

template <class Kind>
Kind kind_of(Reader& r, Kind last) {
  const std::int32_t value = small(r);
  if (value < 0 || value > static_cast<std::int32_t>(last)) damaged("something of unknown kind; it was made by a newer graphc");
  return static_cast<Kind>(value);
}

std::string text(Reader& r) {
  const std::string_view bytes = r.bytes();
  r.count(1, bytes.size());
  return std::string(bytes);
}

template <class Message>
Message read(Reader& r, void (*field)(Reader&, Message&)) {
  r.count(1, sizeof(Message));
  Message message;
  Reader inner(r.bytes(), r.charge());
  while (inner.next()) field(inner, message);
  return message;
}

void memory(Reader& r, GpuMemory& m) {
  switch (r.field()) {
    case 1: m.kind = kind_of(r, GpuMemoryKind::MADE); break;
    case 2: m.size = r.integer(); break;
    case 3: m.index = small(r); break;
    case 4: m.facts = text(r); break;
    default: r.skip();
  }
}

void task(Reader& r, GpuTask& m) {
  switch (r.field()) {
    case 1: m.kind = kind_of(r, GpuTaskKind::DOWNLOAD); break;
    case 2: m.module = small(r); break;
    case 3: m.kernel = text(r); break;
    case 4: r.integers(m.grid); break;
    case 5: r.integers(m.block); break;
    case 6: r.integers(m.words, true); break;
    case 7: r.integers(m.places); break;
    case 8: m.target = small(r); break;
    case 9: m.target_offset = r.integer(); break;
    case 10: m.source = small(r); break;
    case 11: m.source_offset = r.integer(); break;
    case 12: m.count = r.integer(); break;
    default: r.skip();
  }
}

void check(Reader& r, GpuCheck& m) {
  switch (r.field()) {
    case 1: m.status = small(r); break;
    case 2: m.body = small(r); break;
    case 3: m.step = small(r); break;
    case 4: m.range = r.integer() != 0; break;
    case 5: m.size = r.integer(); break;
    default: r.skip();
  }
}

void need(Reader& r, GpuNeed& m) {
  switch (r.field()) {
    case 1: m.state = small(r); break;
    case 2: m.body = small(r); break;
    case 3: m.step = small(r); break;
    default: r.skip();
  }
}

void shape(Reader& r, Shape& m) {
  if (r.field() == 1) r.integers(m);
  else r.skip();
}

void run(Reader& r, GpuRun& m) {
  switch (r.field()) {
    case 1: r.integers(m.sizes); break;
    case 2: m.memory.push_back(read(r, memory)); break;
    case 3: m.first.push_back(read(r, task)); break;
    case 4: m.second.push_back(read(r, task)); break;
    case 5: m.undo.push_back(read(r, task)); break;
    case 6: m.checks.push_back(read(r, check)); break;
    case 7: m.early = small(r); break;
    case 8: m.check_place = r.integer(); break;
    case 9: m.counter = r.integer() != 0; break;
    case 10: r.integers(m.uploads); break;
    case 11: r.integers(m.downloads); break;
    case 12: m.needs.push_back(read(r, need)); break;
    case 13: r.integers(m.writes); break;
    case 14: m.uploaded.push_back(read(r, shape)); break;
    case 15: m.given.push_back(read(r, shape)); break;
    case 16: m.made.push_back(read(r, shape)); break;
    case 17: m.downloaded.push_back(read(r, shape)); break;
    default: r.skip();
  }
}

void part(Reader& r, GpuPart& m) {
  switch (r.field()) {
    case 1: m.told = r.integer() != 0; break;
    case 2: m.repeats = r.integer() != 0; break;
    case 3: m.runs.push_back(read(r, run)); break;
    default: r.skip();
  }
}

void plan(Reader& r, GpuCode& m) {
  switch (r.field()) {
    case 3:
      m.runs.push_back(read(r, run));
      m.sizes.push_back(m.runs.back().sizes);
      break;
    case 4: m.walk = text(r); break;
    case 5: m.parts.push_back(read(r, part)); break;
    case 6: r.integers(m.here); break;
    case 7: m.sizes.push_back(read(r, shape)); break;
    default: r.skip();
  }
}

struct Signature {
  std::string_view name, message;
  std::uint32_t hash = 0;
};

Signature signature_in(std::string_view message) {
  Signature found;
  found.message = message;
  for (Reader r(message); r.next();) {
    if (r.field() == 1) found.name = r.bytes();
    else if (r.field() == 2) found.hash = r.fixed32();
    else r.skip();
  }
  return found;
}

// Of the message with the runs of `saved`, whose signature the file must have.
Signature find_signature(const std::vector<Signature>& all, const SavedPlan& saved) {
  std::string names;
  for (const Signature& one : all) {
    if (one.name == saved.signature) return one;
    names += (names.empty() ? "" : ", ") + std::string(one.name);
  }
  throw_error(GRAPHC_NOT_FOUND, "it has no code for the signature " + saved.signature + "; it has " +
                                    (names.empty() ? "none at all" : names));
}

}  // namespace

GpuCode read_gpu_code(std::string_view file, const SavedPlan& saved, Charge& charge) {
  GpuCode code;
  std::int64_t version = 0;
  std::uint64_t graph_hash = 0;
  std::vector<Signature> signatures;
  Reader r(file, &charge);
  while (r.next()) switch (r.field()) {
    case 1: version = r.integer(); break;
    case 2: graph_hash = r.fixed64(); break;
    case 3: code.compute = small(r); break;
    case 4: r.count(1, sizeof(std::string)); code.modules.push_back(text(r)); break;
    case 5: r.count(1, sizeof(Signature)); signatures.push_back(signature_in(r.bytes())); break;
    default: r.skip();
  }
  if (version != VERSION)
    throw_error(GRAPHC_DATA_LOSS, "it is no file of code for a GPU, of format version " + decimal(VERSION) +
                                      " (`graphc gpu` makes them): it says " + decimal(version));
  const Signature found = find_signature(signatures, saved);
  if (graph_hash != saved.graph_hash || found.hash != crc32c(saved.plan))
    throw_error(GRAPHC_FAILED_PRECONDITION, "it was made of another model, or of this one before it was written anew: make it again "
                                            "with `graphc gpu`");
  Reader inner(found.message, &charge);
  while (inner.next()) plan(inner, code);
  return code;
}

}  // namespace graphc_core
