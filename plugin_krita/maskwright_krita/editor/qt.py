# ruff: noqa: I001
"""Qt by one name: Krita 6 comes with PyQt6, Krita 5 with PyQt5, and each refuses the other's."""

try:
    from PyQt6.QtCore import (
        QByteArray, QEvent, QObject, QPoint, QPointF, QRect, QRectF, QSize, Qt, QTimer, pyqtSignal,
    )  # fmt: skip
    from PyQt6.QtGui import (
        QAction, QColor, QIcon, QImage, QKeySequence, QPainter, QPen, QPixmap, QPolygonF, QTransform,
    )  # fmt: skip
    from PyQt6.QtWidgets import (
        QAbstractItemView, QApplication, QCheckBox, QColorDialog, QComboBox, QDialog, QDialogButtonBox, QDoubleSpinBox,
        QFileDialog,
        QFormLayout, QFrame, QGridLayout, QHBoxLayout, QLabel, QLineEdit, QListView, QListWidget, QListWidgetItem,
        QMdiArea, QMenu, QProgressBar, QPushButton, QScrollArea, QSizePolicy, QSpinBox, QToolButton, QVBoxLayout,
        QWidget,
    )  # fmt: skip

    QT_MAJOR = 6
except ImportError:
    from PyQt5.QtCore import (  # type: ignore[assignment]
        QByteArray, QEvent, QObject, QPoint, QPointF, QRect, QRectF, QSize, Qt, QTimer, pyqtSignal,
    )  # fmt: skip
    from PyQt5.QtGui import (  # type: ignore[assignment]
        QColor, QIcon, QImage, QKeySequence, QPainter, QPen, QPixmap, QPolygonF, QTransform,
    )  # fmt: skip
    from PyQt5.QtWidgets import (  # type: ignore[assignment]
        QAbstractItemView, QAction, QApplication, QCheckBox, QColorDialog, QComboBox, QDialog, QDialogButtonBox,
        QDoubleSpinBox,
        QFileDialog, QFormLayout, QFrame, QGridLayout, QHBoxLayout, QLabel, QLineEdit, QListView, QListWidget,
        QListWidgetItem, QMdiArea, QMenu, QProgressBar, QPushButton, QScrollArea, QSizePolicy, QSpinBox, QToolButton,
        QVBoxLayout, QWidget,
    )  # fmt: skip

    QT_MAJOR = 5

__all__ = [
    "QT_MAJOR", "QAbstractItemView", "QAction", "QApplication", "QByteArray", "QCheckBox", "QColor", "QColorDialog",
    "QComboBox",
    "QDialog", "QDialogButtonBox", "QDoubleSpinBox", "QEvent", "QFileDialog", "QFormLayout", "QFrame", "QGridLayout",
    "QHBoxLayout", "QIcon", "QImage", "QKeySequence", "QLabel", "QLineEdit", "QListView", "QListWidget",
    "QListWidgetItem", "QMdiArea", "QMenu", "QObject", "QPainter", "QPen", "QPixmap", "QPoint", "QPointF", "QPolygonF",
    "QProgressBar",
    "QPushButton", "QRect", "QRectF", "QScrollArea", "QSize", "QSizePolicy", "QSpinBox", "QTimer", "QToolButton",
    "QTransform", "QVBoxLayout", "QWidget", "Qt", "pyqtSignal",
]  # fmt: skip
