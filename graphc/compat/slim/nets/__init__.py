"""Networks that contrib.slim has ready: VGG and ResNets, with the variables of published checkpoints."""
