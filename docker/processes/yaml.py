"""As much of YAML as compose.yaml needs: mappings, lists of scalars, quotes, anchors, and << of one anchor. Whatever else
there is, is an error."""
import re

from .common import Problem


def parse_yaml(text, name):
    lines = []
    for number, line in enumerate(text.splitlines(), 1):
        content = re.sub(r"(^|\s)#.*$", "", line).rstrip()
        if content.strip():
            lines.append((len(content) - len(content.lstrip()), content.strip(), number))
    anchors = {}

    def scalar(word, number):
        if word[:1] in "[{|>!%@`":
            raise Problem(f"{name}:{number}: this program cannot read {word!r}")
        if word[:1] in "\"'":
            if len(word) < 2 or word[-1] != word[0]:
                raise Problem(f"{name}:{number}: the quotes of {word} are not closed")
            return word[1:-1]
        return word

    def block(index, indent):
        if lines[index][1].startswith("- "):
            items = []
            while index < len(lines) and lines[index][0] == indent and lines[index][1].startswith("- "):
                items.append(scalar(lines[index][1][2:].strip(), lines[index][2]))
                index += 1
            return items, index
        mapping, merged = {}, {}
        while index < len(lines) and lines[index][0] == indent:
            _, content, number = lines[index]
            match = re.fullmatch(r"([\w.<-]+):(?:\s+(.*))?", content)
            if not match:
                raise Problem(f"{name}:{number}: this program cannot read {content!r}")
            key, rest = match.group(1), match.group(2) or ""
            index += 1
            if key == "<<":
                if rest[:1] != "*" or rest[1:] not in anchors:
                    raise Problem(f"{name}:{number}: << wants an anchor that was named before")
                merged = anchors[rest[1:]]
                continue
            anchor = None
            if rest.startswith("&"):
                anchor, _, rest = rest[1:].partition(" ")
            if rest:
                value = scalar(rest, number)
            elif index < len(lines) and lines[index][0] > indent:
                value, index = block(index, lines[index][0])
            else:
                value = None
            if key in mapping:
                raise Problem(f"{name}:{number}: {key} stands here twice")
            mapping[key] = value
            if anchor:
                anchors[anchor] = value
        if index < len(lines) and lines[index][0] > indent:
            raise Problem(f"{name}:{lines[index][2]}: unexpected indentation")
        return {**merged, **mapping}, index

    value, index = block(0, 0)
    if index != len(lines):
        raise Problem(f"{name}:{lines[index][2]}: unexpected indentation")
    return value
