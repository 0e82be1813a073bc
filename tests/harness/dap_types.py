# SPDX-License-Identifier: MIT
# The protocol's own types, read from its TypeScript, as a check of the messages that an adapter sends.
import os
import re

from .tap import Failed

PATH = "build/dap/node_modules/@vscode/debugprotocol/lib/debugProtocol.d.ts"
TOKEN = re.compile(r"""\s*(?:(?P<name>[A-Za-z_$][\w$]*)|(?P<text>'[^']*')|(?P<mark>[{}\[\]();:?|,=]))""")


class Reader:
    """Types as tuples: ("plain", name), ("literal", text), ("list", type), ("any of", types), ("named", name),
    ("map", type), ("record", {member: (type, required)})."""

    def __init__(self, text):
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
        # What an event or a request is called stands in a comment.
        self.names = {}
        for interface, kind, name in re.findall(r"interface (\w+) extends \w+ \{\s*// (event|command): '(\w+)'", text):
            self.names[kind, name] = interface
        text = re.sub(r"//[^\n]*", "", text)
        self.tokens = [match.group().strip() for match in TOKEN.finditer(text)]
        self.at = 0
        self.types = {}
        self.parents = {}
        self.read()

    def take(self, wanted=None):
        token = self.tokens[self.at]
        if wanted and token != wanted:
            raise Failed(f"the protocol's types: {wanted} wanted, found {self.tokens[self.at - 5:self.at + 5]}")
        self.at += 1
        return token

    def sees(self, token):
        if self.tokens[self.at] == token:
            self.at += 1
            return True
        return False

    def read(self):
        while self.take() != "DebugProtocol":
            pass
        self.take("{")
        while not self.sees("}"):
            if self.take() == "interface":
                name = self.take()
                if self.sees("extends"):
                    self.parents[name] = self.take()
                self.types[name] = self.record()
            else:
                name = self.take()
                self.take("=")
                self.types[name] = self.type()
                self.take(";")

    def record(self):
        members = {}
        self.take("{")
        while not self.sees("}"):
            if self.sees("["):
                self.at += 3
                self.take("]")
                self.take(":")
                members[None] = (self.type(), False)
            else:
                name = self.take()
                required = not self.sees("?")
                self.take(":")
                members[name] = (self.type(), required)
            self.take(";")
        return ("map", members[None][0]) if None in members else ("record", members)

    def type(self):
        choices = [self.one()]
        while self.sees("|"):
            choices.append(self.one())
        return choices[0] if len(choices) == 1 else ("any of", choices)

    def one(self):
        if self.tokens[self.at] == "{":
            found = self.record()
        elif self.sees("("):
            found = self.type()
            self.take(")")
        else:
            token = self.take()
            if token.startswith("'"):
                found = ("literal", token[1:-1])
            elif token in ("string", "number", "boolean", "any", "null"):
                found = ("plain", token)
            else:
                found = ("named", token)
        while self.sees("["):
            self.take("]")
            found = ("list", found)
        return found

    def members(self, name):
        """Of an interface with those that it inherits; its own count."""
        inherited = self.members(self.parents[name]) if name in self.parents else {}
        return {**inherited, **self.types[name][1]}


class Checker:
    def __init__(self):
        with open(PATH, encoding="utf-8") as file:
            self.types = Reader(file.read())

    def why_not(self, value, wanted, where):
        """What is wrong with a value; None: nothing."""
        kind, detail = wanted
        if kind == "plain":
            fits = {"string": isinstance(value, str), "any": True, "null": value is None,
                    "number": isinstance(value, (int, float)) and not isinstance(value, bool),
                    "boolean": isinstance(value, bool)}[detail]
            return None if fits else f"{where} is no {detail}: {value!r}"
        if kind == "literal":
            return None if value == detail else f"{where} is not '{detail}': {value!r}"
        if kind == "any of":
            reasons = [self.why_not(value, each, where) for each in detail]
            return None if None in reasons else f"{where} is none of what it may be: {reasons}"
        if kind == "named":
            if self.types.types[detail][0] != "record":
                return self.why_not(value, self.types.types[detail], where)
            return self.why_not(value, ("record", self.types.members(detail)), where)
        if kind == "list":
            if not isinstance(value, list):
                return f"{where} is no list: {value!r}"
            reasons = (self.why_not(each, detail, f"{where}[{i}]") for i, each in enumerate(value))
            return next((reason for reason in reasons if reason), None)
        if not isinstance(value, dict):
            return f"{where} is no object: {value!r}"
        if kind == "map":
            reasons = (self.why_not(each, detail, f"{where}.{name}") for name, each in value.items())
            return next((reason for reason in reasons if reason), None)
        for name, (each, required) in detail.items():
            if name in value:
                reason = self.why_not(value[name], each, f"{where}.{name}")
                if reason:
                    return reason
            elif required:
                return f"{where}.{name} is missing"
        unknown = set(value) - set(detail)
        return f"{where} has {sorted(unknown)}, which nobody knows" if unknown else None

    def check(self, message):
        name = "Request"
        if message.get("type") == "event":
            name = self.types.names.get(("event", message.get("event")))
        elif message.get("type") == "response":
            name = "ErrorResponse"
            if message.get("success"):
                request = self.types.names.get(("command", message.get("command")), "")
                name = request.replace("Request", "Response")
        elif message.get("type") == "request":
            name = self.types.names.get(("command", message.get("command")))
        reason = "there is no such message" if name not in self.types.types else \
            self.why_not(message, ("named", name), name)
        if reason:
            raise Failed(f"not of the protocol's types: {reason}\n{message}")


CHECKER = Checker() if os.path.exists(PATH) else None
