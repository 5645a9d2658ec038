"""What schemathesis is told of pman: see tests/integration/api-v2-contract.test.ts."""
import re

import schemathesis
from schemathesis.generation import GenerationMode

# What a wait may look like; any other one is refused at once.
WAIT = re.compile(r"\d{1,4}(\.\d{1,3})?s?")


@schemathesis.hook
def before_call(context, case, kwargs):
    """Nobody waits for longer than a moment; names of jobs are, as a rule, those of one that there is."""
    wait = (case.query or {}).get("wait")
    if wait is not None and WAIT.fullmatch(str(wait)):
        case.query["wait"] = "0.01"
    is_good = case.meta is not None and case.meta.generation.mode == GenerationMode.POSITIVE
    for key, value in list((case.query or {}).items()):
        # Nothing of it would reach the wire, and the server could not refuse it.
        if not is_good and not isinstance(value, (str, int, float)) and not any(value or []):
            case.query[key] = "x"
    name = (case.path_parameters or {}).get("id")
    # A request that is to be refused for something else stays as it is: that may not reach the wire.
    if isinstance(name, str) and is_good and len(name) % 3 and case.method != "DELETE":
        case.path_parameters["id"] = "_0"
