"""Networks that contrib.slim has ready: VGG, ResNets and Inception 3, with the variables of published checkpoints."""
