"""Pure functions on float32 masks: post-processing, instances, trimaps, guided filter, foreground colours."""
