"""contrib.framework: arg_scope, and variables of models by name."""
