// Texts joined by +, as the standard library's operators do it, but as functions: those are templates, instantiated at each of
// the two hundred places that make a message, and take 6 KB of a small runner. Found before them in this namespace.
#pragma once
#include <cstdint>
#include <string>

namespace graphc_core {

std::string operator+(const std::string& a, const std::string& b);
std::string operator+(const std::string& a, std::string&& b);
std::string operator+(const std::string& a, const char* b);
std::string operator+(std::string&& a, const std::string& b);
std::string operator+(std::string&& a, std::string&& b);
std::string operator+(std::string&& a, const char* b);
std::string operator+(const char* a, const std::string& b);
std::string operator+(const char* a, std::string&& b);

// A number of any integer type, for which std::to_string has six functions.
std::string decimal(std::int64_t value);

}  // namespace graphc_core
