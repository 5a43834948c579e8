"""Settings: configuration file < environment (``MASKWRIGHT_*``) < command-line flags."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import Field, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

MIB = 1024 * 1024


def config_file() -> Path:
    """Where the user's settings are; ``MASKWRIGHT_CONFIG`` names another file."""
    override = os.environ.get("MASKWRIGHT_CONFIG")
    return Path(override) if override else platformdirs.user_config_path("maskwright") / "config.toml"


class Settings(BaseSettings):
    """All settings of the server. Sizes are in MiB, times in seconds."""

    model_config = SettingsConfigDict(env_prefix="MASKWRIGHT_", extra="ignore")

    host: str = "127.0.0.1"
    port: int = Field(
        default=0, ge=0, le=65535, description="0 lets the system choose; clients find it by the endpoint file"
    )
    token: str = Field(default="", description="empty makes a new one at each start")
    tls_certificate: Path | None = None
    tls_key: Path | None = None

    models: Annotated[list[Path], NoDecode] = Field(
        default_factory=list, description="local model folders, one directory a model; in the environment a path list"
    )
    device: str = Field(
        default="auto",
        pattern=r"^(auto|cpu|mps|coreml|openvino|(cuda|migraphx|directml)(:\d+)?)$",
        description="auto takes a graphics card if it can; the last four are for ONNX models",
    )
    precision: Literal["auto", "fp32", "fp16", "bf16"] = Field(
        default="auto", description="of PyTorch models: auto is fp32 on the CPU and bf16 or fp16 on a graphics card"
    )
    threads: int = Field(default=0, ge=0, description="processor threads for the models; 0 chooses")

    image_budget: int = Field(default=1024, ge=16, description="MiB of uploaded pixels that are kept, over all clients")
    embedding_budget: int = Field(default=512, ge=16, description="MiB of embeddings that a worker keeps")
    max_megapixels: int = Field(default=400, ge=1, le=2000)
    queue_length: int = Field(default=64, ge=1, description="waiting jobs of one client")
    job_deadline_s: float = Field(default=600.0, gt=0)
    job_stall_s: float = Field(default=300.0, gt=0, description="a job that gives no sign of life so long is ended")
    worker_idle_s: float = Field(default=300.0, gt=0, description="an idle worker is stopped and gives back its memory")
    exit_idle_s: float = Field(default=0.0, ge=0, description="with nobody connected so long it ends; 0: never")
    start_timeout_s: float = Field(default=60.0, gt=0)

    log_level: str = "info"
    log_file: Path | None = None

    @field_validator("models", mode="before")
    @classmethod
    def _split_path_list(cls, value: Any) -> Any:
        return [Path(p).expanduser() for p in value.split(os.pathsep) if p] if isinstance(value, str) else value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=config_file())


def default_model_folder() -> Path:
    """Where downloaded models live, and always one of the folders that are looked at."""
    return platformdirs.user_data_path("maskwright") / "models"


def model_folders(settings: Settings) -> list[Path]:
    """The folders to look for models in, the user's own first."""
    return [*settings.models, default_model_folder()]
