#include "texts.hpp"

#include <utility>

namespace graphc_core {

std::string operator+(const std::string& a, const std::string& b) { return std::string(a).append(b); }
std::string operator+(const std::string& a, std::string&& b) { return std::move(b.insert(0, a)); }
std::string operator+(const std::string& a, const char* b) { return std::string(a).append(b); }
std::string operator+(std::string&& a, const std::string& b) { return std::move(a.append(b)); }
std::string operator+(std::string&& a, std::string&& b) { return std::move(a.append(b)); }
std::string operator+(std::string&& a, const char* b) { return std::move(a.append(b)); }
std::string operator+(const char* a, const std::string& b) { return std::string(a).append(b); }
std::string operator+(const char* a, std::string&& b) { return std::move(b.insert(0, a)); }

std::string decimal(std::int64_t value) { return std::to_string(value); }

}  // namespace graphc_core
