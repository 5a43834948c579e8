"""Model families: each module stands alone and offers ``load``."""
