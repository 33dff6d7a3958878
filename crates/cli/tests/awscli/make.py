"""Writes what the AWS CLI knows of our services: commands.txt and skeletons.json. Run it where `awscli` is installed."""

import json
import pathlib
import random

from awscli.botocore.utils import ArgumentGenerator
from awscli.clidriver import create_clidriver
from awscli.utils import json_encoder

SERVICES = ["apigateway", "apigatewayv2", "apigatewaymanagementapi", "ivs-realtime"]
SKELETONS = [
    "apigateway create-rest-api", "apigateway put-integration", "apigateway update-stage", "apigateway get-usage",
    "apigateway import-rest-api", "apigatewayv2 create-api", "apigatewayv2 create-stage", "apigatewayv2 get-routes",
    "apigatewaymanagementapi get-connection", "ivs-realtime create-stage", "ivs-realtime create-participant-token",
    "ivs-realtime start-composition", "ivs-realtime list-participants", "ivs-realtime delete-stage",
]
GLOBAL = {"cli-input-json", "generate-cli-skeleton", "outfile"}

# The AWS CLI takes any value of an enumeration; we take the first by alphabet.
random.choice = min

folder = pathlib.Path(__file__).parent
lines, skeletons = [], {}
for service in SERVICES:
    command = create_clidriver()._get_command_table()[service]
    for name, operation in command._get_command_table().items():
        if name == "help":
            continue
        options = []
        for option, argument in operation.arg_table.items():
            if option not in GLOBAL:
                options.append(option + ("!" if argument.required else ""))
        outfile = " >" if "outfile" in operation.arg_table else ""
        lines.append(f"{service} {name}{outfile} {' '.join(options)}".rstrip())
        if f"{service} {name}" in SKELETONS:
            model = operation._operation_model
            skeletons[f"{service} {name}"] = {
                "input": ArgumentGenerator().generate_skeleton(model.input_shape),
                "output": model.output_shape and ArgumentGenerator(True).generate_skeleton(model.output_shape),
            }
assert len(skeletons) == len(SKELETONS)
(folder / "commands.txt").write_text("\n".join(lines) + "\n")
(folder / "skeletons.json").write_text(json.dumps(skeletons, indent=1, default=json_encoder) + "\n")
