"""Make the gRPC stubs in ``ops/counting/xray_api/stubs`` anew: ``python -m proto``."""

from pathlib import Path

from proto import STUBS, write_stubs

if __name__ == "__main__":
    write_stubs(Path())
    print(f"wrote {STUBS}/")  # noqa: T201 (a face)
