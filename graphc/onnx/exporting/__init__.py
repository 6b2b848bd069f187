"""What graphc's ops are in ONNX, a file a family: functions decorated with @exports (rules.py)."""
