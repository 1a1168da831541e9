"""The part of Xray's API that is called, and how its Python stubs are made."""

import sys
from importlib.resources import files
from pathlib import Path

HERE = Path(__file__).parent
STUBS = Path("ops/counting/xray_api/stubs")


def write_stubs(root: Path) -> None:
    """Write the typed stubs of every .proto file here to their place under *root*.

    Raise RuntimeError if the compiler refuses a file; it has then said why on stderr.
    """
    # A development package, so not at the head.
    from grpc_tools import protoc  # type: ignore[import-untyped]

    (root / STUBS).mkdir(parents=True, exist_ok=True)
    programs = Path(sys.executable).parent
    refused = protoc.main(
        [
            "protoc",
            # This folder, seen under the stubs' name: so the stubs import each other by it.
            f"-I{STUBS}={HERE}",
            f"-I{files('grpc_tools') / '_proto'}",
            f"--plugin=protoc-gen-mypy={programs / 'protoc-gen-mypy'}",
            f"--plugin=protoc-gen-mypy_grpc={programs / 'protoc-gen-mypy_grpc'}",
            *(f"--{kind}_out={root}" for kind in ("python", "grpc_python")),
            *(f"--{kind}_out=quiet:{root}" for kind in ("mypy", "mypy_grpc")),
            *(f"{STUBS}/{source.name}" for source in sorted(HERE.glob("*.proto"))),
        ]
    )
    if refused:
        raise RuntimeError("protoc refused the .proto files")
