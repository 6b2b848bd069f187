// A libcublasLt for machines without one: the functions that graphc calls, whose work goes into the streams of this
// libcuda. What the library would do wrong in silence is an error here: matrices that do not fit each other, an
// algorithm made for another product, less workspace than it takes, addresses that are not multiples of 256.
// GRAPHC_STANDIN_CUBLAS=broken: no handle; slow: each product takes a while; missing: it knows no algorithm; wrong: the
// last element of each product is; failing: products do not begin.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "memory.h"
#include "stream.h"

using namespace standin;

static long products;

namespace {

enum Status { success = 0, not_initialized = 1, invalid_value = 7, execution_failed = 13, not_supported = 15 };
enum { real_32 = 0, real_64 = 1, float_16 = 2, bfloat_16 = 14, compute_32 = 68, compute_64 = 70, compute_32_by_tf32 = 77 };
constexpr size_t splitting_workspace = 4096;

struct Matrix {
  int type;
  uint64_t rows, columns;
  int64_t apart;                       // elements from one column to the next
  int batch = 1;
  int64_t stride = 0;
};

struct Product {
  int compute, scale;
  int transposed[2] = {};
};

struct Preference {
  uint64_t workspace = 0;
  uint32_t reductions = 7;
};

constexpr uint32_t reduced_in_the_result = 1 | 4;

// What an algorithm is for. parts: into how many pieces it cuts the products along k.
struct Algorithm {
  uint64_t rows, columns, depth, batch;
  int compute, element, result, transposed[2];
  int parts;
};

static_assert(sizeof(Algorithm) <= 64);

struct Found {
  char algorithm[64];
  size_t workspace;
  int state;
  float waves;
  int reserved[4];
};

int wrong(const std::string& what) {
  fprintf(stderr, "stand-in for libcublasLt: %s\n", what.c_str());
  return invalid_value;
}

bool is(const char* mode) {
  const char* given = getenv("GRAPHC_STANDIN_CUBLAS");
  return given && !strcmp(given, mode);
}

uint64_t rows_of(const Matrix& x, int transposed) { return transposed ? x.columns : x.rows; }
uint64_t columns_of(const Matrix& x, int transposed) { return transposed ? x.rows : x.columns; }

// Factors and results of 16 bits have sums of float32.
bool is_type(int type, int sums) { return type == sums || (sums == real_32 && (type == float_16 || type == bfloat_16)); }

bool fit(const Product& p, const Matrix& a, const Matrix& b, const Matrix& c) {
  int wanted = p.compute == compute_64 ? real_64 : real_32;
  return (p.compute == compute_32 || p.compute == compute_64 || p.compute == compute_32_by_tf32) && p.scale == wanted &&
         a.type == b.type && is_type(a.type, wanted) && is_type(c.type, wanted) &&
         (c.type == wanted || c.type == a.type) && (a.type == wanted || p.compute == compute_32) && a.apart >= int64_t(a.rows) &&
         b.apart >= int64_t(b.rows) && c.apart >= int64_t(c.rows) && rows_of(a, p.transposed[0]) == c.rows &&
         columns_of(b, p.transposed[1]) == c.columns &&
         columns_of(a, p.transposed[0]) == rows_of(b, p.transposed[1]) && a.batch == c.batch && b.batch == c.batch &&
         (c.batch == 1 || c.stride >= int64_t(c.rows * c.columns));
}

Algorithm made_for(const Product& p, const Matrix& a, const Matrix& c, int parts) {
  return {c.rows, c.columns, columns_of(a, p.transposed[0]), uint64_t(c.batch), p.compute, a.type, c.type,
          {p.transposed[0], p.transposed[1]}, parts};
}

uintptr_t end_of(const Matrix& x, size_t size) {
  return size * (size_t(x.batch - 1) * size_t(x.stride) + (x.columns ? (x.columns - 1) * size_t(x.apart) + x.rows : 0));
}

// Cut to the 10 bits of mantissa that tensor cores take.
float cut(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  if (std::isfinite(x)) bits &= 0xFFFFE000u;
  memcpy(&x, &bits, 4);
  return x;
}

size_t size_of(int type) { return type == real_64 ? 8 : type == real_32 ? 4 : 2; }

// The element of a matrix at an address, as its sums' type.
template <class T>
T read(int type, uintptr_t at, uint64_t number) {
  if (type == float_16) return T(float(reinterpret_cast<const _Float16*>(at)[number]));
  if (type == bfloat_16) {
    uint32_t bits = uint32_t(reinterpret_cast<const uint16_t*>(at)[number]) << 16;
    float x;
    return memcpy(&x, &bits, 4), T(x);
  }
  return reinterpret_cast<const T*>(at)[number];
}

template <class T>
void write(int type, uintptr_t at, uint64_t number, T x) {
  if (type == float_16)
    reinterpret_cast<_Float16*>(at)[number] = _Float16(float(x));
  else if (type == bfloat_16) {
    uint32_t bits;
    float y = float(x);
    memcpy(&bits, &y, 4);
    bits = std::isnan(y) ? 0x7FFFu << 16 : bits + 0x7FFF + (bits >> 16 & 1);       // to the nearest, ties to even
    reinterpret_cast<uint16_t*>(at)[number] = uint16_t(bits >> 16);
  } else
    reinterpret_cast<T*>(at)[number] = x;
}

template <class T>
void multiply(const Algorithm& how, const Matrix& a, const Matrix& b, const Matrix& c, uintptr_t a_at, uintptr_t b_at,
              uintptr_t c_at) {
  for (int number = 0; number < c.batch; number++) {
    uint64_t x = uint64_t(number * a.stride), y = uint64_t(number * b.stride), z = uint64_t(number * c.stride);
    for (uint64_t j = 0; j < how.columns; j++)
      for (uint64_t i = 0; i < how.rows; i++) {
        T sums[8] = {};
        for (uint64_t k = 0; k < how.depth; k++) {
          uint64_t of_a = how.transposed[0] ? k + i * uint64_t(a.apart) : i + k * uint64_t(a.apart);
          uint64_t of_b = how.transposed[1] ? j + k * uint64_t(b.apart) : k + j * uint64_t(b.apart);
          T left = read<T>(how.element, a_at, x + of_a), right = read<T>(how.element, b_at, y + of_b);
          if (how.compute == compute_32_by_tf32) left = T(cut(float(left))), right = T(cut(float(right)));
          T& sum = sums[k * uint64_t(how.parts) / how.depth];
          sum = std::fma(left, right, sum);
        }
        for (int part = 1; part < how.parts; part++) sums[0] += sums[part];
        write<T>(how.result, c_at, z + i + j * uint64_t(c.apart), sums[0]);
      }
  }
}

}  // namespace

extern "C" {

size_t cublasLtGetVersion() { return 130000; }

const char* cublasLtGetStatusName(int status) {
  return status == not_initialized ? "CUBLAS_STATUS_NOT_INITIALIZED" : status == invalid_value ? "CUBLAS_STATUS_INVALID_VALUE"
         : status == not_supported ? "CUBLAS_STATUS_NOT_SUPPORTED" : "CUBLAS_STATUS_EXECUTION_FAILED";
}

int cublasLtCreate(void** handle) {
  if (is("broken")) return not_initialized;
  return *handle = &products, success;
}

int cublasLtMatmulDescCreate(void** made, int compute, int scale) { return *made = new Product{compute, scale}, success; }
int cublasLtMatmulDescDestroy(void* product) { return delete static_cast<Product*>(product), success; }

int cublasLtMatmulDescSetAttribute(void* product, int attribute, const int* value, size_t size) {
  if ((attribute != 3 && attribute != 4) || size != 4 || *value < 0 || *value > 1)
    return wrong("an attribute of a product that is not known here");
  return static_cast<Product*>(product)->transposed[attribute - 3] = *value, success;
}

int cublasLtMatrixLayoutCreate(void** made, int type, uint64_t rows, uint64_t columns, int64_t apart) {
  return *made = new Matrix{type, rows, columns, apart}, success;
}
int cublasLtMatrixLayoutDestroy(void* matrix) { return delete static_cast<Matrix*>(matrix), success; }

int cublasLtMatrixLayoutSetAttribute(void* matrix, int attribute, const void* value, size_t size) {
  auto& of = *static_cast<Matrix*>(matrix);
  if (attribute == 5 && size == 4) return memcpy(&of.batch, value, 4), of.batch > 0 ? success : invalid_value;
  if (attribute == 6 && size == 8) return memcpy(&of.stride, value, 8), success;
  return wrong("an attribute of a matrix that is not known here");
}

int cublasLtMatmulPreferenceCreate(void** made) { return *made = new Preference, success; }
int cublasLtMatmulPreferenceDestroy(void* preference) { return delete static_cast<Preference*>(preference), success; }

int cublasLtMatmulPreferenceSetAttribute(void* preference, int attribute, const void* value, size_t size) {
  if (attribute == 3 && size == 4) return memcpy(&static_cast<Preference*>(preference)->reductions, value, 4), success;
  if (attribute != 1 || size != 8) return wrong("an attribute of a search that is not known here");
  return memcpy(&static_cast<Preference*>(preference)->workspace, value, 8), success;
}

int cublasLtMatmulAlgoGetHeuristic(void*, void* product, void* a, void* b, void* c, void* d, void* preference, int most,
                                   Found* found, int* count) {
  auto& p = *static_cast<Product*>(product);
  auto &left = *static_cast<Matrix*>(a), &right = *static_cast<Matrix*>(b), &target = *static_cast<Matrix*>(d);
  if (c != d || !fit(p, left, right, target)) return wrong("matrices that do not fit each other");
  if (target.type != p.scale && static_cast<Preference*>(preference)->reductions & reduced_in_the_result)
    return wrong("parts of sums that may be rounded to 16 bits");
  *count = 0;
  if (is("missing")) return not_supported;
  for (int parts : {2, 1}) {
    size_t workspace = parts > 1 ? splitting_workspace : 0;
    if (*count == most || workspace > static_cast<Preference*>(preference)->workspace) continue;
    Algorithm made = made_for(p, left, target, parts);
    Found& one = found[(*count)++];
    one = {};
    memcpy(one.algorithm, &made, sizeof made);
    one.workspace = workspace;
  }
  return success;
}

int cublasLtMatmul(void* handle, void* product, const void* alpha, const void* a, void* a_like, const void* b,
                   void* b_like, const void* beta, const void* c, void* c_like, void* d, void* d_like,
                   const void* algorithm, void* workspace, size_t room, void* stream) {
  auto& p = *static_cast<Product*>(product);
  auto &left = *static_cast<Matrix*>(a_like), &right = *static_cast<Matrix*>(b_like), &target = *static_cast<Matrix*>(d_like);
  Algorithm how, wanted;
  memcpy(&how, algorithm, sizeof how);
  wanted = made_for(p, left, target, how.parts);
  double one = p.scale == real_64 ? *static_cast<const double*>(alpha) : double(*static_cast<const float*>(alpha));
  double zero = p.scale == real_64 ? *static_cast<const double*>(beta) : double(*static_cast<const float*>(beta));
  if (handle != &products || !stream || one != 1 || zero != 0 || c != d || c_like != d_like || !fit(p, left, right, target))
    return wrong("a product of matrices that do not fit each other, or of other factors than 1 and 0");
  if (memcmp(&how, &wanted, sizeof how) || how.parts < 1 || how.parts > 2) return wrong("an algorithm made for another product");
  if (how.parts > 1 && (room < splitting_workspace || !inside(uintptr_t(workspace), room, Kind::device)))
    return wrong("too little workspace");
  if (is("failing")) return execution_failed;
  size_t size = p.scale == real_64 ? 8 : 4;
  for (uintptr_t at : {uintptr_t(a), uintptr_t(b), uintptr_t(d)})
    if (at % 256) return wrong("an address that is no multiple of 256");
  uintptr_t a_at = uintptr_t(a), b_at = uintptr_t(b), d_at = uintptr_t(d);
  put(*static_cast<Stream*>(stream), [=] {
    products++;
    if (is("slow")) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    if (!inside(a_at, end_of(left, size_of(left.type)), Kind::device) ||
        !inside(b_at, end_of(right, size_of(right.type)), Kind::device) ||
        !inside(d_at, end_of(target, size_of(target.type)), Kind::device)) {
      break_with(700, "a product of memory that is not there");
      return 700;
    }
    if (size == 8)
      multiply<double>(how, left, right, target, a_at, b_at, d_at);
    else
      multiply<float>(how, left, right, target, a_at, b_at, d_at);
    if (is("wrong")) {
      uint64_t last = end_of(target, size_of(target.type)) / size_of(target.type) - 1;
      write<float>(target.type, d_at, last, read<float>(target.type, d_at, last) + 1);
    }
    return int(success);
  });
  return success;
}

// The tests' side.
long standin_products() { return products; }

}  // extern "C"
