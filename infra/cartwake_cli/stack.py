"""A deployed stack, as its CloudFormation outputs describe it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from botocore.exceptions import BotoCoreError, ClientError

from cartwake_cli.cloud import Cloud
from cartwake_cli.faults import Fault


@dataclass(frozen=True, slots=True)
class Stack:
    """The names and addresses of what one deploy made; tables, queues and functions by their plain names."""

    name: str
    outputs: Mapping[str, str]
    tables: Mapping[str, str]
    queues: Mapping[str, str]
    functions: Mapping[str, str]

    @classmethod
    def from_outputs(cls, name: str, outputs: Mapping[str, str]) -> Self:
        """Sort outputs by their endings: `RunStepFunction` becomes `functions["run_step"]`."""
        return cls(
            name=name,
            outputs=outputs,
            tables=_pick(outputs, "Table"),
            queues=_pick(outputs, "Queue"),
            functions=_pick(outputs, "Function"),
        )

    @property
    def api_url(self) -> str:
        """The address that storefronts post to."""
        return self.output("ApiUrl").rstrip("/")

    @property
    def bucket(self) -> str:
        """The bucket of the marketers' files."""
        return self.output("BucketName")

    @property
    def feedback_topic(self) -> str:
        """The ARN of the topic that receives what became of mails."""
        return self.output("FeedbackTopicArn")

    @property
    def schedule_group(self) -> str:
        """The name of the group that holds the one-time schedules."""
        return self.output("ScheduleGroup")

    def output(self, key: str) -> str:
        """Return one output, or say that the stack is not one of ours."""
        if key not in self.outputs:
            raise Fault(f"the stack {self.name} has no output {key}; is it a Cartwake stack, and of this version?")
        return self.outputs[key]


def read_stack(cloud: Cloud, name: str) -> Stack:
    """Read a stack's outputs.

    Raises:
        Fault: there is no such stack, or it cannot be reached.
    """
    try:
        found = cloud.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except (ClientError, BotoCoreError) as error:
        raise Fault(f"the stack {name} cannot be read ({error}); check --stack, the region and the profile") from error
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found[0].get("Outputs", [])}
    return Stack.from_outputs(name, outputs)


def _pick(outputs: Mapping[str, str], ending: str) -> dict[str, str]:
    return {_to_snake(key.removesuffix(ending)): value for key, value in outputs.items() if key.endswith(ending)}


def _to_snake(words: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", words).lower()
