"""Model catalogue, installed models, the pool of loaded ones, and one file per family. Import what you need."""
