// A libcudnn for machines without one: the functions that graphc calls, whose work goes into the streams of this libcuda.
// What the library would do wrong in silence is an error here: descriptors that do not fit each other, an algorithm that
// does not repeat to the bit or mixes pixels, another way to multiply than was asked for, less workspace than it takes.
// GRAPHC_STANDIN_CUDNN=broken: no handle; old: version 7; newer: made for CUDA 14; slow: each convolution takes a while;
// missing: it knows no algorithm; large: all need 1 GB of workspace; wrong: the last element is; failing: convolutions do
// not begin; restless: every other one adds up the other way round.
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>

#include "memory.h"
#include "stream.h"

using namespace standin;

static long convolutions;

namespace {

enum Status { success = 0, not_initialized = 1001, bad_param = 2000, not_supported = 3000, execution_failed = 5000 };
enum { real_32 = 0, real_64 = 1, float_16 = 2, bfloat_16 = 9, nchw = 0, nhwc = 1 };
enum { default_math = 0, tensor_math = 1, converting_math = 2, fma_math = 3 };
enum Kind_of { forward, of_input, of_filter };
constexpr size_t some_workspace = 4096, large_workspace = size_t(1) << 30;

// Four axes: pictures, channels, rows, columns; of a filter results, channels, rows, columns.
struct Array {
  bool is_filter = false;
  int type = -1, layout = -1, sizes[4] = {};
  size_t count() const { return size_t(sizes[0]) * size_t(sizes[1]) * size_t(sizes[2]) * size_t(sizes[3]); }
  size_t at(int n, int c, int h, int w) const {
    auto [N, C, H, W] = sizes;
    return layout == nhwc ? ((size_t(n) * H + h) * W + w) * C + c : ((size_t(n) * C + c) * H + h) * W + w;
  }
};

struct Way {
  int pads[2], strides[2], dilations[2], type = -1, math = default_math, groups = 1;
};

struct Handle {
  Stream* stream = nullptr;
};

struct Found {
  int algorithm, status;
  float time;
  size_t memory;
  int determinism, math, reserved[3];
};

// An algorithm as the library names it. good: it may be taken.
struct Known {
  int number, status, determinism, math;
  size_t workspace;
  bool good;
};

int wrong(const char* what) {
  fprintf(stderr, "stand-in for libcudnn: %s\n", what);
  return bad_param;
}

bool is(const char* mode) {
  const char* given = getenv("GRAPHC_STANDIN_CUDNN");
  return given && !strcmp(given, mode);
}

std::vector<Known> known(Kind_of kind, const Array& x, const Way& way) {
  if (is("missing") || (x.type == real_64 && x.layout == nhwc)) return {};
  int math = way.math;
  size_t room = is("large") ? large_workspace : some_workspace;
  if (kind == forward)
    return {{6, 0, 1, math, 0, false}, {7, not_supported, 1, math, 0, false}, {1, 0, 1, converting_math, room, false},
            {1, 0, 1, math, room, true}, {0, 0, 1, math, is("large") ? room : 0, true}};
  return {{0, 0, 0, math, 0, false}, {5, 0, 1, math, room, false}, {3, 0, 0, math, 0, false}, {1, 0, 1, math, room, true}};
}

bool is_short(int type) { return type == float_16 || type == bfloat_16; }

float widened(const uint16_t* at, int type) {
  if (type == float_16) return float(*reinterpret_cast<const _Float16*>(at));
  uint32_t bits = uint32_t(*at) << 16;
  float x;
  return memcpy(&x, &bits, 4), x;
}

void round_to(uint16_t* at, int type, float x) {
  if (type == float_16) {
    *reinterpret_cast<_Float16*>(at) = _Float16(x);
    return;
  }
  uint32_t bits;
  memcpy(&bits, &x, 4);
  bits = std::isnan(x) ? 0x7FFFu << 16 : bits + 0x7FFF + (bits >> 16 & 1);       // to the nearest, ties to even
  *at = uint16_t(bits >> 16);
}

struct Shapes {
  const Array *x, *f, *y;
};

Shapes shapes(Kind_of kind, const Array* a, const Array* b, const Array* result) {
  return kind == forward ? Shapes{a, b, result} : kind == of_input ? Shapes{result, a, b} : Shapes{a, result, b};
}

int windows(const Array& x, const Array& f, const Way& way, int axis) {
  int room = x.sizes[2 + axis] + 2 * way.pads[axis] - (f.sizes[2 + axis] - 1) * way.dilations[axis] - 1;
  return room < 0 ? 0 : room / way.strides[axis] + 1;
}

bool fit(const Shapes& s, const Way& way) {
  const Array &x = *s.x, &f = *s.f, &y = *s.y;
  bool sums = is_short(x.type) ? way.type == real_32 && way.math == tensor_math : x.type == way.type;
  bool alike = x.type == f.type && x.type == y.type && sums && x.layout == f.layout && x.layout == y.layout;
  return alike && !x.is_filter && f.is_filter && !y.is_filter && x.sizes[0] == y.sizes[0] && way.groups > 0 &&
         x.sizes[1] == f.sizes[1] * way.groups && f.sizes[0] == y.sizes[1] && f.sizes[0] % way.groups == 0 &&
         y.sizes[2] == windows(x, f, way, 0) && y.sizes[3] == windows(x, f, way, 1) && x.count() && f.count() && y.count();
}

// Cut to the 10 bits of mantissa that tensor cores take.
template <class T>
T taken(T x, int math) {
  float cut = float(x);
  if (sizeof(T) == 8 || math == fma_math || !std::isfinite(cut)) return x;
  uint32_t bits;
  memcpy(&bits, &cut, 4);
  bits &= 0xFFFFE000u;
  memcpy(&cut, &bits, 4);
  return T(cut);
}

// Calls `met` with the places in x, the filter and y of each product.
void each_product(const Shapes& s, const Way& way, const std::function<void(size_t, size_t, size_t)>& met) {
  const Array &x = *s.x, &f = *s.f, &y = *s.y;
  int results = f.sizes[0] / way.groups;
  for (int n = 0; n < y.sizes[0]; n++)
    for (int k = 0; k < y.sizes[1]; k++)
      for (int oh = 0; oh < y.sizes[2]; oh++)
        for (int ow = 0; ow < y.sizes[3]; ow++)
          for (int kh = 0; kh < f.sizes[2]; kh++)
            for (int kw = 0; kw < f.sizes[3]; kw++) {
              int h = oh * way.strides[0] - way.pads[0] + kh * way.dilations[0];
              int w = ow * way.strides[1] - way.pads[1] + kw * way.dilations[1];
              if (h < 0 || w < 0 || h >= x.sizes[2] || w >= x.sizes[3]) continue;
              for (int c = 0; c < f.sizes[1]; c++)
                met(x.at(n, k / results * f.sizes[1] + c, h, w), f.at(k, c, kh, kw), y.at(n, k, oh, ow));
            }
}

template <class T>
void compute(Kind_of kind, const Shapes& s, const Way& way, const T* a, const T* b, T* result, size_t count) {
  memset(result, 0, count * sizeof(T));
  std::vector<std::array<size_t, 3>> products;
  each_product(s, way, [&](size_t x, size_t f, size_t y) {
    products.push_back(kind == forward ? std::array{x, f, y} : kind == of_input ? std::array{f, y, x} : std::array{x, y, f});
  });
  if (is("restless") && convolutions % 2) std::reverse(products.begin(), products.end());
  for (auto [first, second, target] : products)
    result[target] = std::fma(taken(a[first], way.math), taken(b[second], way.math), result[target]);
  if (is("wrong")) result[count - 1] += 1;
}

// 16-bit floats, whose sums are float32 and rounded once.
void compute_short(Kind_of kind, const Shapes& s, const Way& way, const uint16_t* a, const uint16_t* b, uint16_t* result,
                   size_t a_count, size_t b_count, size_t count) {
  std::vector<float> first(a_count), second(b_count), sums(count);
  int type = s.x->type;
  for (size_t i = 0; i < a_count; i++) first[i] = widened(a + i, type);
  for (size_t i = 0; i < b_count; i++) second[i] = widened(b + i, type);
  compute(kind, s, way, first.data(), second.data(), sums.data(), count);
  for (size_t i = 0; i < count; i++) round_to(result + i, type, sums[i]);
}

int get(Kind_of kind, void* handle, const void* a, const void* b, const void* way, const void* result, int most, int* count,
        Found* found) {
  auto s = shapes(kind, static_cast<const Array*>(a), static_cast<const Array*>(b), static_cast<const Array*>(result));
  auto& of = *static_cast<const Way*>(way);
  if (!handle || !fit(s, of)) return wrong("descriptors that do not fit each other");
  auto all = known(kind, *s.x, of);
  *count = 0;
  for (auto& one : all)
    if (*count < most) found[(*count)++] = {one.number, one.status, 0.5f, one.workspace, one.determinism, one.math, {}};
  return all.empty() ? not_supported : success;
}

int workspace(Kind_of kind, void* handle, const void* a, const void* b, const void* way, const void* result, int number,
              size_t* size) {
  auto s = shapes(kind, static_cast<const Array*>(a), static_cast<const Array*>(b), static_cast<const Array*>(result));
  auto& of = *static_cast<const Way*>(way);
  if (!handle || !fit(s, of)) return wrong("descriptors that do not fit each other");
  for (auto& one : known(kind, *s.x, of))
    if (one.number == number && one.good) return *size = one.workspace, success;
  return wrong("the workspace of an algorithm that is not to be taken");
}

int convolve(Kind_of kind, void* handle, const void* alpha, const void* a_like, const void* a, const void* b_like,
             const void* b, const void* way, int number, void* room, size_t size, const void* beta, const void* like,
             void* result) {
  Array x = *static_cast<const Array*>(a_like), f = *static_cast<const Array*>(b_like), y = *static_cast<const Array*>(like);
  Way of = *static_cast<const Way*>(way);
  bool wide = x.type == real_64;
  double one = wide ? *static_cast<const double*>(alpha) : double(*static_cast<const float*>(alpha));
  double zero = wide ? *static_cast<const double*>(beta) : double(*static_cast<const float*>(beta));
  auto* stream = handle ? static_cast<Handle*>(handle)->stream : nullptr;
  if (!stream || one != 1 || zero != 0 || !fit(shapes(kind, &x, &f, &y), of))
    return wrong("descriptors that do not fit each other, or other factors than 1 and 0");
  const Known* how = nullptr;
  auto all = known(kind, x, of);
  for (auto& each : all)
    if (each.number == number && each.good && each.math == of.math) how = &each;
  if (!how) return wrong("an algorithm that is not to be taken");
  if (size < how->workspace || (how->workspace && !inside(uintptr_t(room), size, Kind::device)))
    return wrong("too little workspace");
  for (auto at : {uintptr_t(a), uintptr_t(b), uintptr_t(result), uintptr_t(room)})
    if (at % 256) return wrong("an address that is no multiple of 256");
  if (is("failing")) return execution_failed;
  put(*stream, [=] {
    convolutions++;
    if (is("slow")) std::this_thread::sleep_for(std::chrono::milliseconds(30));
    size_t bytes = wide ? 8 : is_short(x.type) ? 2 : 4;
    if (!inside(uintptr_t(a), x.count() * bytes, Kind::device) || !inside(uintptr_t(b), f.count() * bytes, Kind::device) ||
        !inside(uintptr_t(result), y.count() * bytes, Kind::device)) {
      break_with(700, "a convolution of memory that is not there");
      return 700;
    }
    auto s = shapes(kind, &x, &f, &y);
    if (is_short(x.type))
      compute_short(kind, s, of, static_cast<const uint16_t*>(a), static_cast<const uint16_t*>(b), static_cast<uint16_t*>(result),
                    x.count(), f.count(), y.count());
    else if (wide)
      compute(kind, s, of, static_cast<const double*>(a), static_cast<const double*>(b), static_cast<double*>(result), y.count());
    else
      compute(kind, s, of, static_cast<const float*>(a), static_cast<const float*>(b), static_cast<float*>(result), y.count());
    return int(success);
  });
  return success;
}

int describe_array(void* made, bool is_filter, int type, int layout, int n, int c, int h, int w) {
  auto& array = *static_cast<Array*>(made);
  if ((layout != nchw && layout != nhwc) || (type != real_32 && type != real_64 && !is_short(type)) || n < 1 || c < 1 || h < 1 || w < 1)
    return wrong("an array that is not known here");
  array = {is_filter, type, layout, {n, c, h, w}};
  return success;
}

}  // namespace

extern "C" {

size_t cudnnGetVersion() { return is("old") ? 7605 : 91000; }
size_t cudnnGetCudartVersion() { return is("newer") ? 14000 : 12090; }

const char* cudnnGetErrorString(int status) {
  return status == not_initialized ? "CUDNN_STATUS_NOT_INITIALIZED" : status == bad_param ? "CUDNN_STATUS_BAD_PARAM"
         : status == not_supported ? "CUDNN_STATUS_NOT_SUPPORTED" : "CUDNN_STATUS_EXECUTION_FAILED";
}

int cudnnCreate(void** handle) {
  if (is("broken")) return not_initialized;
  return *handle = new Handle, success;
}
int cudnnSetStream(void* handle, void* stream) { return static_cast<Handle*>(handle)->stream = static_cast<Stream*>(stream), success; }

int cudnnCreateTensorDescriptor(void** made) { return *made = new Array, success; }
int cudnnCreateFilterDescriptor(void** made) { return *made = new Array, success; }
int cudnnCreateConvolutionDescriptor(void** made) { return *made = new Way, success; }
int cudnnDestroyTensorDescriptor(void* made) { return delete static_cast<Array*>(made), success; }
int cudnnDestroyFilterDescriptor(void* made) { return delete static_cast<Array*>(made), success; }
int cudnnDestroyConvolutionDescriptor(void* made) { return delete static_cast<Way*>(made), success; }

int cudnnSetTensor4dDescriptor(void* made, int layout, int type, int n, int c, int h, int w) {
  return describe_array(made, false, type, layout, n, c, h, w);
}
int cudnnSetFilter4dDescriptor(void* made, int type, int layout, int k, int c, int h, int w) {
  return describe_array(made, true, type, layout, k, c, h, w);
}
int cudnnSetConvolution2dDescriptor(void* made, int pad_h, int pad_w, int stride_h, int stride_w, int dilation_h,
                                    int dilation_w, int mode, int type) {
  if (pad_h < 0 || pad_w < 0 || stride_h < 1 || stride_w < 1 || dilation_h < 1 || dilation_w < 1 || mode != 1)
    return wrong("a convolution that is not known here");
  auto& way = *static_cast<Way*>(made);
  way = {{pad_h, pad_w}, {stride_h, stride_w}, {dilation_h, dilation_w}, type};
  return success;
}
int cudnnSetConvolutionGroupCount(void* way, int groups) { return static_cast<Way*>(way)->groups = groups, success; }
int cudnnSetConvolutionMathType(void* way, int math) { return static_cast<Way*>(way)->math = math, success; }

int cudnnGetConvolution2dForwardOutputDim(const void* way, const void* x, const void* f, int* n, int* c, int* h, int* w) {
  auto &of = *static_cast<const Way*>(way);
  auto &pictures = *static_cast<const Array*>(x), &filter = *static_cast<const Array*>(f);
  *n = pictures.sizes[0], *c = filter.sizes[0], *h = windows(pictures, filter, of, 0), *w = windows(pictures, filter, of, 1);
  return success;
}

#define OF_A_KIND(kind, name)                                                                                             \
  int cudnnGetConvolution##name##Algorithm_v7(void* handle, const void* a, const void* b, const void* way,                \
                                              const void* result, int most, int* count, Found* found) {                  \
    return get(kind, handle, a, b, way, result, most, count, found);                                                      \
  }                                                                                                                       \
  int cudnnGetConvolution##name##WorkspaceSize(void* handle, const void* a, const void* b, const void* way,               \
                                               const void* result, int number, size_t* size) {                           \
    return workspace(kind, handle, a, b, way, result, number, size);                                                      \
  }                                                                                                                       \
  int cudnnConvolution##name(void* handle, const void* alpha, const void* a_like, const void* a, const void* b_like,      \
                             const void* b, const void* way, int number, void* room, size_t size, const void* beta,      \
                             const void* like, void* result) {                                                           \
    return convolve(kind, handle, alpha, a_like, a, b_like, b, way, number, room, size, beta, like, result);              \
  }
OF_A_KIND(forward, Forward)
OF_A_KIND(of_input, BackwardData)
OF_A_KIND(of_filter, BackwardFilter)
#undef OF_A_KIND

// The tests' side.
long standin_convolutions() { return convolutions; }

}  // extern "C"
