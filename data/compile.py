# Compiles Python sources, one per line of standard input: a JSON list of source, destination and the name that the code
# shall carry. Answers each with one line: "+" when the destination was written, "-" when the source does not compile.
# Runs with -I -S: nothing of the environment is imported.
import json
import py_compile
import sys
import warnings

warnings.simplefilter("ignore")
write = sys.stdout.write
for line in sys.stdin.buffer:
    source, destination, shown = json.loads(line)
    try:
        py_compile.compile(source, destination, shown, doraise=True)
        write("+\n")
    except Exception:
        write("-\n")
    sys.stdout.flush()
