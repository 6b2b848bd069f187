"""What a TF1 program is made of beside its graph: flags, `app.run`, logging, files."""
