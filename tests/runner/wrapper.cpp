// graphc.hpp as a program uses it: trains a model, looks at its variables, saves and restores them. Arguments: the model, a name for
// a checkpoint. Prints what the model predicts before and behind each.
#include <cstdio>
#include <string>
#include <vector>

#include "graphc.hpp"

int main(int, char** arguments) {
  const std::string path = arguments[1], checkpoint = arguments[2];
  graphc_options options{};
  options.size = sizeof options;
  options.signature = "train";
  graphc::Model train(path, &options);
  const graphc::Model predict = train.signature(path, "predict");
  const std::vector<float> x{1, 2};
  const auto print = [&](const char* when) {
    const graphc::Result result = predict.run({graphc::tensor(x.data(), {1, 2})});
    std::printf("%s %g\n", when, static_cast<double>(*result.data<float>(0)));
  };
  print("start");
  train.run({graphc::tensor(x.data(), {1, 2})});
  print("trained");
  train.save(checkpoint);
  train.set("w", graphc::tensor(std::vector<float>{0, 0}.data(), {2, 1}));
  print("zeros");
  train.restore(checkpoint);
  print("restored");
  for (const float value : train.value<float>("w")) std::printf("w %g\n", static_cast<double>(value));
  try {
    train.value<double>("w");
  } catch (const graphc::Failure& failure) {
    std::printf("%d %s\n", failure.status, failure.what());
  }
}
