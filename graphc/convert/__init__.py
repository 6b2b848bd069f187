"""`graphc convert`: models of other formats as a .pb with compiled Plans, which graphc-run and graphc.h run."""
