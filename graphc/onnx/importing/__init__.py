"""What ONNX's ops are in graphc, a file a family: functions decorated with @onnx_op (rules.py)."""
