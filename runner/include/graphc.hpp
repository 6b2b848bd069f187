// graphc from C++: RAII and exceptions on graphc.h. Header only.
//
//   graphc::Model model("digits.pb");
//   std::vector<float> pixels(32 * 64);
//   graphc::Result result = model.run({graphc::tensor(pixels.data(), {32, 64})});
//   const float* logits = result.data<float>(0);
//
// Training, with what gc.export_model wrote:
//
//   graphc_options options{sizeof options, "train"};
//   graphc::Model train("model.pb", &options);
//   graphc::Model predict = train.signature("model.pb", "predict");       // the same variables
//   for (...) train.run({graphc::tensor(images, {32, 784}), graphc::tensor(labels, {32})});
//   train.save("trained/model.ckpt");
#pragma once
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "graphc.h"

namespace graphc {

class Failure : public std::runtime_error {
 public:
  Failure(graphc_status status, const std::string& message) : std::runtime_error(message), status(status) {}
  graphc_status status;
};

inline void check(graphc_status status) {
  if (status != GRAPHC_OK) throw Failure(status, graphc_last_error());
}

template <class Element> struct dtype_of;
template <> struct dtype_of<float> { static constexpr std::int32_t value = 1; };
template <> struct dtype_of<double> { static constexpr std::int32_t value = 2; };
template <> struct dtype_of<std::int32_t> { static constexpr std::int32_t value = 3; };
template <> struct dtype_of<std::uint8_t> { static constexpr std::int32_t value = 4; };
template <> struct dtype_of<std::int16_t> { static constexpr std::int32_t value = 5; };
template <> struct dtype_of<std::int8_t> { static constexpr std::int32_t value = 6; };
template <> struct dtype_of<graphc_string> { static constexpr std::int32_t value = 7; };
template <> struct dtype_of<std::int64_t> { static constexpr std::int32_t value = 9; };
template <> struct dtype_of<bool> { static constexpr std::int32_t value = 10; };
template <> struct dtype_of<std::uint16_t> { static constexpr std::int32_t value = 17; };
template <> struct dtype_of<std::uint32_t> { static constexpr std::int32_t value = 22; };
template <> struct dtype_of<std::uint64_t> { static constexpr std::int32_t value = 23; };

// A tensor over the caller's memory, for an input: not copied, only read.
template <class Element>
graphc_tensor tensor(const Element* data, std::initializer_list<std::int64_t> sizes) {
  if (sizes.size() > GRAPHC_MAX_RANK) throw Failure(GRAPHC_INVALID_ARGUMENT, "a tensor of more than 8 axes");
  graphc_tensor made{};
  made.dtype = dtype_of<Element>::value;
  made.data = const_cast<Element*>(data);
  for (std::int64_t size : sizes) made.sizes[made.rank++] = size;
  return made;
}

// The outputs of one run; they live as long as it does.
class Result {
 public:
  explicit Result(graphc_result* result) : result_(result, graphc_result_free) {}

  graphc_tensor output(std::int32_t index) const {
    graphc_tensor found;
    check(graphc_result_output(result_.get(), index, &found));
    return found;
  }

  std::vector<std::int64_t> sizes(std::int32_t index) const {
    const graphc_tensor found = output(index);
    return {found.sizes, found.sizes + found.rank};
  }

  template <class Element>
  const Element* data(std::int32_t index) const {
    const graphc_tensor found = output(index);
    if (found.dtype != dtype_of<Element>::value) throw Failure(GRAPHC_INVALID_ARGUMENT, "the output has another dtype");
    return static_cast<const Element*>(found.data);
  }

 private:
  std::unique_ptr<graphc_result, decltype(&graphc_result_free)> result_;
};

// A loaded graph. Threads may share it.
class Model {
 public:
  explicit Model(const std::string& path, const graphc_options* options = nullptr) : model_(nullptr, graphc_model_free) {
    graphc_model* made = nullptr;
    check(graphc_load_file(path.c_str(), options, &made));
    model_.reset(made);
  }

  Result run(const std::vector<graphc_tensor>& inputs) const {
    graphc_result* made = nullptr;
    check(graphc_run(model_.get(), inputs.data(), static_cast<std::int32_t>(inputs.size()), &made));
    return Result(made);
  }

  // The signature `name` of the same file, with the same variables.
  Model signature(const std::string& path, const std::string& name, graphc_options options = {}) const {
    options.size = sizeof options;
    options.signature = name.c_str();
    options.share = get();
    return Model(path, &options);
  }

  // Of a variable: its value, of the right dtype and size.
  template <class Element>
  std::vector<Element> value(const std::string& name) const {
    const std::int32_t index = variable(name);
    const graphc_info info = variables()[static_cast<std::size_t>(index)];
    if (info.dtype != dtype_of<Element>::value) throw Failure(GRAPHC_INVALID_ARGUMENT, "variable '" + name + "' has another dtype");
    std::size_t count = 1;
    for (std::int32_t axis = 0; axis < info.rank; ++axis) count *= static_cast<std::size_t>(info.sizes[axis]);
    std::vector<Element> elements(count);
    check(graphc_state_get(get(), index, elements.data(), count * sizeof(Element)));
    return elements;
  }
  void set(const std::string& name, const graphc_tensor& value) { check(graphc_state_set(get(), variable(name), &value)); }

  void save(const std::string& prefix) const { check(graphc_save(get(), prefix.c_str())); }
  void restore(const std::string& prefix) { check(graphc_restore(get(), prefix.c_str())); }

  std::vector<graphc_info> inputs() const { return infos(graphc_input_count(get()), graphc_input_info); }
  std::vector<graphc_info> outputs() const { return infos(graphc_output_count(get()), graphc_output_info); }
  std::vector<graphc_info> variables() const { return infos(graphc_state_count(get()), graphc_state_info); }
  graphc_model* get() const { return model_.get(); }

 private:
  std::int32_t variable(const std::string& name) const {
    const std::vector<graphc_info> all = variables();
    for (std::size_t i = 0; i < all.size(); ++i)
      if (name == all[i].name) return static_cast<std::int32_t>(i);
    throw Failure(GRAPHC_NOT_FOUND, "the model has no variable '" + name + "'");
  }

  template <class Function>
  std::vector<graphc_info> infos(std::int32_t count, Function function) const {
    std::vector<graphc_info> found(static_cast<std::size_t>(count));
    for (std::int32_t i = 0; i < count; ++i) check(function(get(), i, &found[static_cast<std::size_t>(i)]));
    return found;
  }

  std::unique_ptr<graphc_model, decltype(&graphc_model_free)> model_;
};

}  // namespace graphc
