// Element types, by TensorFlow's numbers (graphc/ir/dtypes.py).
#pragma once
#include <cstdint>
#include <string>

namespace graphc {

struct DType {
  int number;
  int size;                // bytes of an element; 0: cannot be fed, fetched or stored
  const char* short_name;  // as in names of kernels
  const char* name;        // TensorFlow's
  const char* numpy;       // NumPy's, as in .npy files
};

// nullptr if there is no such dtype.
inline const DType* find_dtype(std::int64_t number) {
  static const DType all[] = {
      {1, 4, "f32", "float32", "<f4"},   {2, 8, "f64", "float64", "<f8"},  {3, 4, "i32", "int32", "<i4"},
      {4, 1, "u8", "uint8", "|u1"},      {5, 2, "i16", "int16", "<i2"},    {6, 1, "i8", "int8", "|i1"},
      {7, 0, "str", "string", ""},       {8, 8, "c64", "complex64", "<c8"}, {9, 8, "i64", "int64", "<i8"},
      {10, 1, "bool", "bool", "|b1"},    {17, 2, "u16", "uint16", "<u2"},  {18, 16, "c128", "complex128", "<c16"},
      {19, 2, "f16", "float16", "<f2"},  {20, 0, "resource", "resource", ""}, {21, 0, "handle", "variant", ""},
      {22, 4, "u32", "uint32", "<u4"},   {23, 8, "u64", "uint64", "<u8"},
  };
  for (const DType& dtype : all)
    if (dtype.number == number) return &dtype;
  return nullptr;
}

inline std::string dtype_name(std::int64_t number) {
  const DType* dtype = find_dtype(number);
  return dtype ? dtype->name : "dtype " + std::to_string(number);
}

}  // namespace graphc
