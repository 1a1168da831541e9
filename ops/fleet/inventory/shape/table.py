"""The common properties of all tables in the inventory."""

from pydantic import BaseModel, ConfigDict


class Table(BaseModel):
    """A table of a TOML file. Unknown fields and wrong types are errors."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
