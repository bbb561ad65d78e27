"""What must hold of the stack as it is written down, before anything is deployed."""

import re

import pytest

from cartwake import telemetry
from tests.template.stack import (
    ROOT,
    Function,
    Node,
    find,
    find_references,
    list_functions,
    list_of,
    list_sources,
    load,
)

FUNCTIONS = list_functions()
FAILURES = {"Fn::GetAtt": "FailuresQueue.Arn"}
DEAD_ENDS = {"DeadLettersQueue", "FailuresQueue"}
STATEFUL = {"DynamoDB::Table", "S3::Bucket", "SecretsManager::Secret"}
ALARMS = "infra/alarms.yaml"
OPERATE = (ROOT / "docs" / "operate.md").read_text()
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")

each_function = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)


def events_of(kind: str) -> list[tuple[Function, Node]]:
    found = [(each, event["Properties"]) for each in FUNCTIONS for event in each.events if event["Type"] == kind]
    assert found, f"no function is started by {kind} any more"
    return found


# ---- folder = function = test file = row


def test_every_folder_is_a_function() -> None:
    """`ls functions/` is the list of the stack's functions, and each folder holds app.py and nothing else."""
    folders = sorted(path for path in (ROOT / "functions").iterdir() if path.name != "__pycache__")
    assert [path.name for path in folders] == sorted(function.name for function in FUNCTIONS)
    for folder in folders:
        assert [path.name for path in folder.iterdir() if path.name != "__pycache__"] == ["app.py"]


@each_function
def test_function_is_called_after_its_folder(function: Function) -> None:
    """A function's resource, its name on AWS, its service in logs and metrics, and its folder are one word."""
    assert function.logical_id == "".join(word.title() for word in function.name.split("_"))
    assert function.properties["FunctionName"] == {"Fn::Sub": "${AWS::StackName}-" + function.name.replace("_", "-")}
    assert function.environment["POWERTOOLS_SERVICE_NAME"] == function.name
    assert len(function.properties["Description"]) > 10


@each_function
def test_function_has_its_tests(function: Function) -> None:
    """Each function has a test file of its name."""
    assert (ROOT / "tests" / "functions" / f"test_{function.name}.py").is_file()


@each_function
def test_function_has_its_row_in_the_readme(function: Function) -> None:
    """The README's table has a row for each function."""
    assert re.search(rf"^\| *\[?`{function.name}`", (ROOT / "README.md").read_text(), re.MULTILINE)


def test_every_function_runs_on_the_one_runtime() -> None:
    """Functions share runtime, processor, handler and layer: none sets its own."""
    shared = load()["Globals"]["Function"]
    assert (shared["Runtime"], shared["Architectures"], shared["Handler"]) == ("python3.13", ["arm64"], "app.handler")
    assert shared["Layers"] == [{"Ref": "CartwakeLayer"}]
    for function in FUNCTIONS:
        assert not {"Runtime", "Architectures", "Handler", "Layers"} & set(function.properties)


# ---- nothing is lost


@pytest.mark.parametrize(("function", "event"), events_of("DynamoDB"), ids=lambda value: getattr(value, "name", ""))
def test_stream_gives_up_in_the_end(function: Function, event: Node) -> None:
    """An outage of half a day loses nothing; what is given up then is recorded while it can still be read."""
    assert event["DestinationConfig"]["OnFailure"]["Destination"] == FAILURES
    assert event["MaximumRetryAttempts"] == -1, "an outage uses up any number of attempts in minutes"
    assert 12 * 3600 <= event["MaximumRecordAgeInSeconds"] <= 22 * 3600, "a stream keeps a record for a day"
    assert event["BisectBatchOnFunctionError"] is True
    assert event["StartingPosition"] == "TRIM_HORIZON"
    assert event["FilterCriteria"]["Filters"], f"{function.name} would be started for nothing"


def is_asynchronous(function: Function) -> bool:
    scheduled = f"function:${{AWS::StackName}}-{function.name.replace('_', '-')}"
    targets = [statement["Resource"] for _, role in find("IAM::Role") for statement in statements_of(role)]
    return any(event["Type"] in {"S3", "Schedule", "ScheduleV2", "SNS"} for event in function.events) or any(
        scheduled in str(target) for target in targets
    )


def statements_of(resource: Node) -> list[Node]:
    return [each for policy in resource["Properties"]["Policies"] for each in policy["PolicyDocument"]["Statement"]]


def test_asynchronous_call_gives_up_in_the_end() -> None:
    """What Lambda calls asynchronously retries a bounded number of times, and records what it gives up."""
    asynchronous = [function for function in FUNCTIONS if is_asynchronous(function)]
    assert {function.name for function in asynchronous} >= {"wake", "run_step", "publish_rules"}
    for function in asynchronous:
        config = function.properties["EventInvokeConfig"]
        assert config["DestinationConfig"]["OnFailure"]["Destination"] == FAILURES, function.name
        assert 0 <= config["MaximumRetryAttempts"] <= 2
        assert 60 <= config["MaximumEventAgeInSeconds"] <= 6 * 3600


def test_schedule_and_subscription_give_up_in_the_end() -> None:
    """A recurring schedule and a subscription record what they could not hand over."""
    for function, event in events_of("ScheduleV2"):
        assert event["DeadLetterConfig"]["Arn"] == FAILURES, function.name
        assert event["RetryPolicy"]["MaximumRetryAttempts"] <= 2
    for name, subscription in find("SNS::Subscription"):
        if subscription["Properties"]["Protocol"] == "sqs":
            assert subscription["Properties"]["RedrivePolicy"]["deadLetterTargetArn"] == FAILURES, name


@each_function
def test_failures_can_be_recorded(function: Function) -> None:
    """A function with a failure destination may write to it: Lambda does so in its role."""
    if "FailuresQueue" in find_references([function.properties.get("EventInvokeConfig"), function.events]):
        writable = [each for each in function.statements if "sqs:SendMessage" in list_of(each["Action"])]
        assert any("FailuresQueue" in find_references(each["Resource"]) for each in writable)


@pytest.mark.parametrize(("name", "queue"), find("SQS::Queue"))
def test_queue_redrives(name: str, queue: Node) -> None:
    """A queue hands what fails five times to dead-letters, keeps messages for 14 days, and is encrypted."""
    properties = queue["Properties"]
    assert properties["SqsManagedSseEnabled"] is True
    assert properties["MessageRetentionPeriod"] == 14 * 24 * 3600
    if name not in DEAD_ENDS:
        assert properties["RedrivePolicy"] == {
            "deadLetterTargetArn": {"Fn::GetAtt": "DeadLettersQueue.Arn"},
            "maxReceiveCount": 5,
        }


def test_queue_hides_a_message_long_enough() -> None:
    """A message stays hidden six times as long as its function may run, and one that fails comes back alone."""
    queues = dict(find("SQS::Queue"))
    consumed = set()
    for function, event in events_of("SQS"):
        (name,) = find_references(event["Queue"])
        consumed.add(name)
        assert queues[name]["Properties"]["VisibilityTimeout"] >= 6 * function.properties["Timeout"], name
        assert event["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert consumed == set(queues) - DEAD_ENDS


def test_what_is_kept_outlives_the_stack() -> None:
    """Tables, bucket, secret and what was given up are kept when the stack is removed; tables can be restored."""
    kept = [(name, each) for kind in STATEFUL for name, each in find(kind)]
    kept += [(name, load()["Resources"][name]) for name in DEAD_ENDS]
    for name, resource in kept:
        # a first deployment that fails is rolled back whole, or the second one would find its names taken
        assert resource["DeletionPolicy"] == "RetainExceptOnCreate", name
        assert resource["UpdateReplacePolicy"] == "Retain", name
    for name, table in find("DynamoDB::Table"):
        assert table["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}, name
        assert table["Properties"]["BillingMode"] == "PAY_PER_REQUEST", name


# ---- nobody may do more than they must


@each_function
def test_function_has_a_role_of_its_own(function: Function) -> None:
    """A function's role is written out, its own, and adds nothing that AWS or SAM keeps."""
    assert find_references(function.properties["Role"]) == {f"{function.logical_id}Role"}
    assert "Policies" not in function.properties
    assert "ManagedPolicyArns" not in function.role
    assert all(statement["Sid"] for statement in function.statements)


def test_no_action_is_a_pattern() -> None:
    """Every allowed action is written out."""
    for name, resource in load()["Resources"].items():
        for statement in find_statements(resource):
            if statement["Effect"] == "Allow":
                assert not [action for action in list_of(statement["Action"]) if "*" in action], name
                assert "NotAction" not in statement


def find_statements(resource: Node) -> list[Node]:
    properties = resource["Properties"]
    documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
    documents += [properties[key] for key in ("PolicyDocument", "AssumeRolePolicyDocument") if key in properties]
    return [statement for document in documents for statement in document["Statement"]]


def test_every_resource_is_named() -> None:
    """A statement names its resources, by logical id or by the stack's name.

    The one exception: a text to a phone number names no resource, and that role is denied every topic; with push on,
    which no pattern tells from topics, those of the stack.
    """
    for name, resource in load()["Resources"].items():
        for statement in find_statements(resource):
            if statement["Effect"] == "Deny" or "Resource" not in statement:
                continue
            for target in list_of(statement["Resource"]):
                if statement.get("Sid") == "SendSms":
                    assert (name, statement["Action"], target) == ("SendMessageRole", ["sns:Publish"], "*")
                    assert any(is_no_topics(each) for each in find_statements(resource))
                else:
                    assert find_references(target) or "${AWS::StackName}" in str(target), (name, target)
                    assert not re.search(r"(^|:)\*", str(target.get("Fn::Sub", ""))), (name, target)


def is_no_topics(statement: Node) -> bool:
    topics = [{"Ref": name} for name, _ in find("SNS::Topic")]
    denied = {"Fn::If": ["HasPush", topics, {"Fn::Sub": "arn:${AWS::Partition}:sns:*:*:*"}]}
    return statement["Effect"] == "Deny" and statement["Action"] == ["sns:Publish"] and statement["Resource"] == denied


@each_function
def test_function_is_told_of_the_tables_that_it_may_use(function: Function) -> None:
    """A function's variables name the tables that its role names, or whose stream it reads, no more and no fewer."""
    tables = {name for name, _ in find("DynamoDB::Table")}
    streams = {name for event in function.events for name in find_references(event["Properties"].get("Stream"))}
    told = find_references(function.environment) & tables
    allowed = {
        name
        for statement in function.statements
        if not statement["Sid"].endswith("Stream")
        for name in find_references(statement["Resource"]) & tables
    }
    assert allowed <= told <= allowed | streams
    for variable, value in function.environment.items():
        if variable.endswith("_TABLE"):
            assert value == {"Ref": variable.removesuffix("_TABLE").title() + "Table"}
    assert all(f"Read{name.removesuffix('Table')}Stream" in {s["Sid"] for s in function.statements} for name in streams)


def test_a_trial_may_be_mailed_to_one_recipient() -> None:
    """In its sandbox SES asks for a right to the recipient too: who deploys names one, and by default there is none."""
    (send,) = [each for f in FUNCTIONS for each in f.statements if each["Sid"] == "SendMail"]
    arn = "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:"
    identity = {"Fn::Sub": f"{arn}identity/${{TrialRecipient}}"}
    assert send["Resource"] == [
        {"Fn::Sub": f"{arn}identity/${{SenderIdentity}}"},
        {"Fn::Sub": f"{arn}configuration-set/${{ConfigurationSet}}"},
        {"Fn::If": ["HasTrialRecipient", identity, {"Ref": "AWS::NoValue"}]},
    ]
    assert load()["Parameters"]["TrialRecipient"]["Default"] == ""
    empty = {"Fn::Equals": [{"Ref": "TrialRecipient"}, ""]}
    assert load()["Conditions"]["HasTrialRecipient"] == {"Fn::Not": [empty]}


def test_only_send_message_sends() -> None:
    """SES and SNS are called by send_message alone."""
    senders = {
        function.name
        for function in FUNCTIONS
        for statement in function.statements
        for action in list_of(statement["Action"])
        if statement["Effect"] == "Allow" and action.startswith(("ses:", "sns:"))
    }
    assert senders == {"send_message"}


def test_nobody_deletes_a_table_and_one_reads_a_whole_one() -> None:
    """Only sweep_profiles scans, and only profiles; what a person did is deleted by erase_profiles alone."""
    actions = {action for function in FUNCTIONS for each in function.statements for action in list_of(each["Action"])}
    assert not actions & {"dynamodb:DeleteTable", "dynamodb:PartiQLDelete", "s3:DeleteObject"}
    removing = [
        each["Resource"] for f in FUNCTIONS for each in f.statements if "s3:DeleteObjectVersion" in each["Action"]
    ]
    assert removing == [{"Fn::Sub": "${RulesBucket.Arn}/exports/*"}]
    scanning = [(f.name, each["Resource"]) for f in FUNCTIONS for each in f.statements if "dynamodb:Scan" in str(each)]
    assert scanning == [("sweep_profiles", {"Fn::GetAtt": "ProfilesTable.Arn"})]
    deleting = {f.name for f in FUNCTIONS if "dynamodb:DeleteItem" in str(f.statements)}
    assert deleting == {"derive_segments", "run_step", "send_message", "erase_profiles"}, (
        "identities, codes that are given, keys"
    )
    writing = {
        f.name
        for f in FUNCTIONS
        for each in f.statements
        if "dynamodb:BatchWriteItem" in each["Action"]
        for name in find_references(each["Resource"])
        if name in {"RunsTable", "SlotsTable", "MessagesTable"}
    }
    assert writing == {"erase_profiles"}


def test_bucket_is_private() -> None:
    """The bucket is private, versioned and encrypted, and answers over TLS only."""
    ((_, bucket),) = find("S3::Bucket")
    assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}
    ((_, policy),) = find("S3::BucketPolicy")
    (statement,) = find_statements(policy)
    assert (statement["Effect"], statement["Action"]) == ("Deny", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_publishing_does_not_start_itself() -> None:
    """publish_rules is started by what marketers write, and writes where nothing starts it."""
    (publish,) = [function for function in FUNCTIONS if function.name == "publish_rules"]
    read = [event["Filter"]["S3Key"]["Rules"][0]["Value"] for _, event in events_of("S3")]
    (put,) = [each for each in publish.statements if "s3:PutObject" in each["Action"]]
    written = [re.sub(r".*}/", "", target["Fn::Sub"]).rstrip("*") for target in put["Resource"]]
    told = [f"_status/{name}.json" for name in ("status", "sweep", "trial", "coupons")]
    assert written == ["bundles/", *told, "schemas/"]
    assert not [(a, b) for a in read for b in written if a.startswith(b) or b.startswith(a)]


# ---- somebody notices


@each_function
def test_function_has_a_log_of_its_own(function: Function) -> None:
    """A function writes to a log group of the stack, which forgets after the days that were asked for."""
    logs = f"{function.logical_id}Logs"
    assert function.properties["LoggingConfig"] == {"LogGroup": {"Ref": logs}}
    group = load()["Resources"][logs]["Properties"]
    name = function.name.replace("_", "-")
    assert group["LogGroupName"] == {"Fn::Sub": f"/aws/lambda/${{AWS::StackName}}-{name}"}
    assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    (writing,) = [each for each in function.statements if each["Sid"] == "WriteLogs"]
    assert writing["Resource"] == {"Fn::GetAtt": f"{logs}.Arn"}


def test_every_alarm_is_there() -> None:
    """There is an alarm for what was given up, what is late, what happens to mail, and what people run into.

    Errors of the functions behind streams and queues show as age, as failures, or as dead letters.
    """
    alarms = {str(each["Properties"]["AlarmName"]["Fn::Sub"]): each["Properties"] for _, each in list_alarms()}
    wanted = {
        "dead-letters": ("ApproximateNumberOfMessagesVisible", 0, 60),
        "failures": ("ApproximateNumberOfMessagesVisible", 0, 60),
        "quarantined": ("Quarantined", 0, 60),
        "events-age": ("IteratorAge", 5 * 60 * 1000, 60),
        "profiles-age": ("IteratorAge", 5 * 60 * 1000, 60),
        "sweeps-age": ("ApproximateAgeOfOldestMessage", 30 * 60, 60),
        "erasures-age": ("ApproximateAgeOfOldestMessage", 30 * 60, 60),
        "rules-problems": ("RulesProblems", 0, 60),
        "coupons-low": ("CouponsLow", 0, 900),
        "campaigns-missed": ("CampaignsMissed", 0, 900),
        "overdue-runs": ("OverdueRuns", 0, 600),
        "stuck-messages": ("StuckMessages", 0, 600),
        "sending-paused": ("SendingPaused", 0, 300),
        "messages-unknown": ("MessagesUnknown", 0, 60),
        "webhooks-refused": ("WebhooksRefused", 0, 900),
        "bounce-rate": ("Reputation.BounceRate", 0.02, 900),
        "complaint-rate": ("Reputation.ComplaintRate", 0.0005, 900),
        "api-5xx": ("5xx", 0, 300),
        "publish-rules-errors": ("Errors", 0, 300),
    }
    found = {
        name.removeprefix("${Shop}-"): (
            each["MetricName"],
            each["Threshold"],
            each["Period"] * each["EvaluationPeriods"],
        )
        for name, each in alarms.items()
    }
    assert found == wanted


def list_alarms() -> list[tuple[str, Node]]:
    return find("CloudWatch::Alarm", ALARMS)


@pytest.mark.parametrize(("name", "alarm"), list_alarms())
def test_alarm_tells_somebody(name: str, alarm: Node) -> None:
    """An alarm notifies the topic, says what it means, and is explained in docs/operate.md."""
    properties = alarm["Properties"]
    assert properties["AlarmActions"] == [{"Ref": "Topic"}]
    assert properties["AlarmDescription"].endswith("."), name
    assert properties["ComparisonOperator"] == "GreaterThanThreshold"
    assert properties["TreatMissingData"] in {"notBreaching", "ignore"}
    slug = properties["AlarmName"]["Fn::Sub"].removeprefix("${Shop}-")
    assert re.search(rf"^\|[^|]*`{slug}`", OPERATE, re.MULTILINE)


def test_alarm_watches_the_api_itself() -> None:
    """What shops and shoppers run into is the API's own answer: 503 is no error of a function."""
    ((_, alarm),) = [each for each in list_alarms() if each[1]["Properties"]["MetricName"] == "5xx"]
    properties = alarm["Properties"]
    assert (properties["Namespace"], properties["Statistic"]) == ("AWS/ApiGateway", "Sum")
    assert properties["Dimensions"] == [{"Name": "ApiId", "Value": {"Ref": "Api"}}]
    assert (properties["DatapointsToAlarm"], properties["EvaluationPeriods"]) == (3, 5)
    assert load()["Resources"]["Alarms"]["Properties"]["Parameters"]["Api"] == {"Ref": "Api"}


def test_alarm_on_age_sees_what_fails() -> None:
    """A message that is received three times has no age any more, so it must be old enough before its third time."""
    given = load()["Resources"]["Alarms"]["Properties"]["Parameters"]
    ages = [each["Properties"] for _, each in list_alarms()]
    ages = [each for each in ages if each["MetricName"] == "ApproximateAgeOfOldestMessage"]
    assert len(ages) == 2
    for age in ages:
        ((parameter,),) = [find_references(each["Value"]) for each in age["Dimensions"]]
        (queue,) = find_references(given[parameter])
        hidden = load()["Resources"][queue]["Properties"]["VisibilityTimeout"]
        assert age["Threshold"] + age["Period"] <= 2 * hidden, queue


def test_what_it_costs_is_counted() -> None:
    """docs/operate.md counts what is paid for by the piece: alarms, polled queues, and metrics by function."""
    alarms = len(list_alarms())
    assert f"{alarms} alarms, of which ten are free | ${0.10 * (alarms - 10):.2f}" in OPERATE
    polled = len(events_of("SQS"))
    # five pollers ask each queue every 20 seconds
    asked = polled * 5 * 3 * 43_800 / 1e6
    words = f"{NUMBERS[polled]} empty queues {asked:.2f} million times, of which a million are free"
    assert f"{words} | ${0.40 * (asked - 1):.2f}" in OPERATE
    pairs = len(list_metrics())
    assert f"{pairs} metrics, of which ten are free, come to ${0.30 * (pairs - 10):.2f}" in " ".join(OPERATE.split())


def test_what_a_guided_deployment_asks_is_told() -> None:
    """For each route SAM asks whether it may be without authentication, and takes a no for the default."""
    assert f"For each of its {len(events_of('HttpApi'))} routes" in OPERATE


def test_every_metric_is_told() -> None:
    """The list of metrics names all that are counted, and no other."""
    told = " ".join((telemetry.__doc__ or "").split()).partition("Metric names: ")[2].rstrip(".")
    assert sorted(told.split(", ")) == sorted({name for _, name in list_metrics()})


def list_metrics() -> set[tuple[str, str]]:
    """List the metrics by function: those that it counts, and the modules that it may reach."""
    found = {("cartwake", "Quarantined")}
    for function in FUNCTIONS:
        for path in list_sources(ROOT / "functions" / function.name / "app.py"):
            names = re.findall(r"""(?:\bcount\(|MessageState\.\w+: )"([A-Z]\w+)\"""", path.read_text())
            found |= {(function.name, name) for name in names}
    return found


def test_alarm_watches_metrics_that_exist() -> None:
    """An alarm on one of our metrics names the namespace and a service as the functions write them."""
    names, counted = {function.name for function in FUNCTIONS}, list_metrics()
    for name, alarm in list_alarms():
        properties = alarm["Properties"]
        for dimension in properties.get("Dimensions", []):
            if dimension["Name"] == "service":
                assert (dimension["Value"], properties["MetricName"]) in counted, name
                assert dimension["Value"] in names | {"cartwake"}, name
                assert properties["Namespace"] == {"Ref": "Namespace"}
            if dimension["Name"] == "FunctionName":
                assert dimension["Value"]["Fn::Sub"].removeprefix("${Shop}-").replace("-", "_") in names, name
    told = load()["Globals"]["Function"]["Environment"]["Variables"]["POWERTOOLS_METRICS_NAMESPACE"]
    assert load()["Resources"]["Alarms"]["Properties"]["Parameters"]["Namespace"] == told


# ---- the parts know each other


def test_outputs_name_what_tools_need() -> None:
    """Tables, queues and functions can be found by the stack's outputs."""
    outputs = set(load()["Outputs"])
    assert outputs >= {name for kind in ("DynamoDB::Table", "SQS::Queue") for name, _ in find(kind)}
    assert outputs >= {f"{function.logical_id}Function" for function in FUNCTIONS}
    assert outputs >= {"ApiUrl", "BucketName", "FeedbackTopicArn", "SecretArn", "ScheduleGroup"}


def test_variables_are_the_ones_that_are_read() -> None:
    """The template sets the variables that the code reads, and no others."""
    set_ = {variable for function in FUNCTIONS for variable in function.environment if "POWERTOOLS" not in variable}
    sources = [*(ROOT / "layers" / "cartwake" / "cartwake").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]
    code = "\n".join(path.read_text() for path in sources)
    assert set(re.findall(r"""require(?:_int)?\(["'](\w+)["']\)""", code)) <= set_
    assert not [variable for variable in set_ if f'"{variable}"' not in code]
