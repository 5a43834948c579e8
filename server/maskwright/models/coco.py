"""The names that most published detectors know: the 80 classes of COCO (Lin et al., "Microsoft COCO", 2014)."""

COCO: tuple[str, ...] = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
    "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow", "elephant",
    "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard",
    "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard", "tennis racket", "bottle",
    "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple", "sandwich", "orange", "broccoli",
    "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch", "potted plant", "bed", "dining table", "toilet",
    "tv", "laptop", "mouse", "remote", "keyboard", "cell phone", "microwave", "oven", "toaster", "sink",
    "refrigerator", "book", "clock", "vase", "scissors", "teddy bear", "hair drier", "toothbrush",
)  # fmt: skip

# What has no shape of its own, by the names of COCO's panoptic task (Kirillov et al., "Panoptic Segmentation", 2019)
# and as people say it. Models number it after the 80 things, in this order.
STUFF: dict[str, str] = {
    "banner": "banner", "blanket": "blanket", "bridge": "bridge", "cardboard": "cardboard", "counter": "counter",
    "curtain": "curtain", "door-stuff": "door", "floor-wood": "wooden floor", "flower": "flower", "fruit": "fruit",
    "gravel": "gravel", "house": "house", "light": "light", "mirror-stuff": "mirror", "net": "net", "pillow": "pillow",
    "platform": "platform", "playingfield": "playing field", "railroad": "railroad", "river": "river", "road": "road",
    "roof": "roof", "sand": "sand", "sea": "sea", "shelf": "shelf", "snow": "snow", "stairs": "stairs", "tent": "tent",
    "towel": "towel", "wall-brick": "brick wall", "wall-stone": "stone wall", "wall-tile": "tiled wall",
    "wall-wood": "wooden wall", "water-other": "water", "window-blind": "window blind", "window-other": "window",
    "tree-merged": "tree", "fence-merged": "fence", "ceiling-merged": "ceiling", "sky-other-merged": "sky",
    "cabinet-merged": "cabinet", "table-merged": "table", "floor-other-merged": "floor", "pavement-merged": "pavement",
    "mountain-merged": "mountain", "grass-merged": "grass", "dirt-merged": "dirt", "paper-merged": "paper",
    "food-other-merged": "food", "building-other-merged": "building", "rock-merged": "rock",
    "wall-other-merged": "wall", "rug-merged": "rug",
}  # fmt: skip
COCO_PANOPTIC: tuple[str, ...] = (*COCO, *STUFF.values())
