"""The local deploy: `sam deploy` of the same template to the engine, and its outputs."""

from collections.abc import Mapping

from cartwake_cli.local.build import CONFIG, build, run_sam
from cartwake_cli.local.engine import ACCESS_KEY, REGION, SECRET_KEY, Engine
from cartwake_cli.stack import Stack, read_stack

ARTIFACTS = "cartwake-local-artifacts"


def deploy(engine: Engine, parameters: Mapping[str, str], *, name: str = "cartwake") -> Stack:
    """Build if needed, deploy under a name with the stack's parameters, and read the outputs.

    Raises:
        Fault: SAM could not build or deploy it.
    """
    bucket = engine.cloud.client("s3")
    if ARTIFACTS not in {each["Name"] for each in bucket.list_buckets()["Buckets"]}:
        bucket.create_bucket(Bucket=ARTIFACTS)
    command = ["deploy", "--template-file", str(build() / "template.yaml"), "--stack-name", name]
    command += ["--s3-bucket", ARTIFACTS, "--region", REGION, "--config-file", str(CONFIG)]
    command += ["--capabilities", "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
    command += ["--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar"]
    if parameters:
        command += ["--parameter-overrides", *(f"{key}={value}" for key, value in parameters.items())]
    run_sam(command, log=engine.folder / "deploy.log", environment=_point_at(engine))
    return read_stack(engine.cloud, name)


def _point_at(engine: Engine) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": engine.url,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_DEFAULT_REGION": REGION,
        "SAM_CLI_POLL_DELAY": "0.3",
    }
