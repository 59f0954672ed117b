"""Write the samples that are missing."""

from tests.contract.samples import FOLDER, encoded
from tradetrail.events.schemas import FOLDER as SCHEMAS

for path in sorted((SCHEMAS / "released").glob("*.avsc")):
    target = FOLDER / f"{path.stem}.bin"
    if not target.exists():
        target.write_bytes(encoded(path))
