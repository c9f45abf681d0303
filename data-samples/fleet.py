"""The life of a Fargate task as CloudTrail sees it: its interface, its two roles, its secrets, its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cloudtrail import Caller, Json, Session, Trail, linked_caller, service_caller
from company import (
    APP_A,
    APP_B,
    CLUSTER,
    ECS_SERVICE,
    END,
    ENDPOINTS,
    EXECUTION,
    FIRST_DAY,
    PROD,
    PUBLIC_A,
    REGION,
    SERVICE,
    SG_TASK,
    TASK,
    TASK_SECRETS,
    Interface,
    Role,
    Subnet,
    unique_id,
)

AGENT = "Amazon ECS Agent - Fargate/1.4.0 (Linux)"
SDK = "aws-sdk-java/2.33.4 md/io#async ua/2.1 os/Linux#5.10 lang/java#21.0.8 exec-env/AWS_ECS_FARGATE"
TARGET_GROUP = f"arn:aws:elasticloadbalancing:{REGION}:{PROD}:targetgroup/checkout/6d0ecf831eec9f09"
REPOSITORY = f"arn:aws:ecr:{REGION}:{PROD}:repository/shop/checkout"
EXPIRY = timedelta(hours=6)


@dataclass
class Task:
    """One Fargate task. Its id is also the session name of its roles; its attachment id is in its ENI's description."""

    id: str
    definition: str  # family:revision
    service: str | None
    interface: Interface
    attachment: str
    containers: tuple[str, str]
    started: datetime
    role: Role = TASK
    stopped: datetime = END
    sessions: list[Session] = field(default_factory=list)

    @property
    def arn(self) -> str:
        return f"arn:aws:ecs:{REGION}:{PROD}:task/shop/{self.id}"

    @property
    def definition_arn(self) -> str:
        return f"arn:aws:ecs:{REGION}:{PROD}:task-definition/{self.definition}"

    def session(self, role: Role, at: datetime) -> Session:
        """The session of *role* in force at *at*."""
        return [s for s in self.sessions if s.role == role and s.created <= at][-1]


@dataclass
class Fleet:
    trail: Trail
    tasks: list[Task] = field(default_factory=list)

    def place(self, at: datetime, definition: str, *, service: bool = True, subnet: Subnet | None = None) -> Task:
        """A task with an identity and an address, before anything of it is recorded."""
        random = self.trail.random
        subnet = subnet or (APP_A, APP_B)[len(self.tasks) % 2]
        taken = {task.interface.address for task in self.tasks}
        address = random.choice([a for n in range(70, 250) if (a := f"{subnet.network}.{n}") not in taken])
        task_id = self.trail.hex()
        runtime = f"{task_id}-{random.randrange(10**9, 10**10)}", f"{task_id}-{random.randrange(10**9, 10**10)}"
        interface = Interface(f"task/{task_id}", subnet, address)
        task = Task(task_id, definition, "checkout" if service else None, interface, self.trail.guid(), runtime, at)
        self.tasks.append(task)
        return task

    def running_before(self, definition: str) -> Task:
        """A task that started before the first day: the logs hold nothing of its start."""
        task = self.place(FIRST_DAY - timedelta(hours=1), definition)
        for role in (EXECUTION, task.role):
            task.sessions.append(Session(role, task.id, unique_id("ASIA", task.id + role.name), task.started))
        return task

    def start(self, task: Task) -> Task:
        """Record the start of *task*: interface, credentials for both roles, image, log stream, secrets, target."""
        at, trail = task.started, self.trail
        ecs = linked_caller(ECS_SERVICE, "ecs-service-scheduler", at)
        request, response = interface_call(task)
        trail.call(at + timedelta(seconds=4), ecs, "ec2", "CreateNetworkInterface", request, response)
        for role in (EXECUTION, task.role):
            self.refresh(task, role, at + timedelta(seconds=11))
        if task.role != TASK:  # an image from elsewhere, no secrets
            return task
        agent = task.session(EXECUTION, at + EXPIRY).caller(task.interface.address, AGENT)
        self.pull(at + timedelta(seconds=15), task, agent)
        for n, secret in enumerate(TASK_SECRETS):
            inside = agent.near(task.interface.address, ENDPOINTS["secretsmanager"])
            trail.read_secret(at + timedelta(seconds=21 + n), inside, secret)
        if task.service:
            self.target(at + timedelta(seconds=48), task, "RegisterTargets")
        return task

    def pull(self, at: datetime, task: Task, agent: Caller) -> None:
        registry = agent.near(task.interface.address, ENDPOINTS["ecr"])
        about = [("AWS::ECR::Repository", REPOSITORY)]
        image: Json = {"registryId": PROD, "repositoryName": "shop/checkout"}
        self.trail.call(at, registry, "ecr", "GetAuthorizationToken")
        tag = {"imageTag": task.definition.rpartition(":")[2]}
        self.trail.call(at, registry, "ecr", "BatchGetImage", {**image, "imageIds": [tag]}, resources=about)
        layer = {**image, "layerDigest": f"sha256:{self.trail.hex(64)}"}
        self.trail.call(at + timedelta(seconds=2), registry, "ecr", "GetDownloadUrlForLayer", layer, resources=about)
        stream = {"logGroupName": "/ecs/shop/checkout", "logStreamName": f"checkout/app/{task.id}"}
        writer = agent.near(task.interface.address, ENDPOINTS["logs"])
        self.trail.call(at + timedelta(seconds=5), writer, "logs", "CreateLogStream", stream)

    def refresh(self, task: Task, role: Role, at: datetime) -> None:
        """ECS takes new credentials for the task; the session name is the task id."""
        ecs = service_caller("ecs-tasks")
        task.sessions.append(self.trail.assume(at, ecs, role, task.id, hours=6, sharedEventID=self.trail.guid()))

    def target(self, at: datetime, task: Task, name: str) -> None:
        ecs = linked_caller(ECS_SERVICE, "ecs-service-scheduler", at)
        request = {"targetGroupArn": TARGET_GROUP, "targets": [{"id": task.interface.address, "port": 8080}]}
        self.trail.call(at, ecs, "elasticloadbalancing", name, request)

    def stop(self, task: Task, at: datetime) -> None:
        task.stopped = at
        if task.service:
            self.target(at - timedelta(seconds=35), task, "DeregisterTargets")
        ecs = linked_caller(ECS_SERVICE, "ecs-service-scheduler", at)
        request = {"networkInterfaceId": task.interface.id}
        self.trail.call(at + timedelta(seconds=6), ecs, "ec2", "DeleteNetworkInterface", request, {"_return": True})

    def live(self, task: Task) -> None:
        """Record what a running task does: credentials renewed before they expire, settings read about every hour."""
        at = task.sessions[0].created + EXPIRY - timedelta(minutes=self.trail.random.randrange(20, 50))
        while at < task.stopped:
            for role in (EXECUTION, task.role):
                self.refresh(task, role, at)
            at += EXPIRY - timedelta(minutes=self.trail.random.randrange(20, 50))
        at = max(task.started, FIRST_DAY) + timedelta(minutes=self.trail.random.randrange(3, 40))
        while task.service and at < task.stopped:
            app = task.session(task.role, at).caller(task.interface.address, SDK, through=ENDPOINTS["ssm"])
            request = {"path": "/shop/checkout/", "recursive": True, "withDecryption": False}
            self.trail.call(at, app, "ssm", "GetParametersByPath", request)
            at += timedelta(minutes=self.trail.random.randrange(62, 95))


def interface_call(task: Task) -> tuple[Json, Json]:
    """Request and response of the CreateNetworkInterface that ECS makes for a task."""
    subnet, groups = task.interface.subnet, {"items": [{"groupId": SG_TASK}]}
    description = f"arn:aws:ecs:{REGION}:{PROD}:attachment/{task.attachment}"
    addresses = {"item": [{"privateIpAddress": task.interface.address, "primary": True}]}
    made = {
        "networkInterfaceId": task.interface.id,
        "subnetId": subnet.id,
        "vpcId": subnet.vpc,
        "availabilityZone": f"{REGION}{'a' if subnet in (APP_A, PUBLIC_A) else 'b'}",
        "description": description,
        "ownerId": PROD,
        "requesterManaged": False,
        "status": "pending",
        "privateIpAddress": task.interface.address,
        "groupSet": {"items": [{"groupId": SG_TASK, "groupName": "sg-ECSTask"}]},
        "privateIpAddressesSet": addresses,
        "interfaceType": "interface",
    }
    request = {"subnetId": subnet.id, "description": description, "groupSet": groups, "privateIpAddressesSet": {}}
    return request, {"networkInterface": made}


def run_task_call(
    task: Task, started_by: str, *, public: bool = False, command: list[str] | None = None
) -> tuple[Json, Json]:
    """Request and response of a RunTask. When it returns, the attachment has an id and a subnet, no interface yet."""
    wiring = {
        "subnets": [task.interface.subnet.id],
        "securityGroups": [SG_TASK],
        "assignPublicIp": "ENABLED" if public else "DISABLED",
    }
    request: Json = {
        "cluster": "shop",
        "taskDefinition": task.definition,
        "count": 1,
        "launchType": "FARGATE",
        "startedBy": started_by,
        "networkConfiguration": {"awsvpcConfiguration": wiring},
    }
    if command:
        request["overrides"] = {"containerOverrides": [{"name": "app", "command": command}]}
    attachment = {
        "id": task.attachment,
        "type": "ElasticNetworkInterface",
        "status": "PRECREATED",
        "details": [{"name": "subnetId", "value": task.interface.subnet.id}],
    }
    made = {
        "taskArn": task.arn,
        "clusterArn": CLUSTER,
        "taskDefinitionArn": task.definition_arn,
        "lastStatus": "PROVISIONING",
        "desiredStatus": "RUNNING",
        "launchType": "FARGATE",
        "startedBy": started_by,
        "group": f"family:{task.definition.partition(':')[0]}",
        "attachments": [attachment],
        "containers": [{"name": "app", "lastStatus": "PENDING", "networkInterfaces": []}],
    }
    return request, {"tasks": [made], "failures": []}


def update_service_call(**changes: object) -> tuple[Json, Json]:
    request = {"cluster": "shop", "service": "checkout", **changes}
    return request, {"service": {"serviceArn": SERVICE, "serviceName": "checkout", "clusterArn": CLUSTER, **changes}}
