NAMES: dict[str, dict[str, str]] = {"": {}, "train": {}}
