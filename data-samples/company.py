"""Who and what exists in the sample company: accounts, roles, people, secrets and the network. Nothing happens here."""

from __future__ import annotations

import base64
import hashlib
import random
from dataclasses import dataclass
from datetime import UTC, datetime

SEED = 20261102
FIRST_DAY, LAST_DAY, END = (datetime(2026, 11, day, tzinfo=UTC) for day in (2, 3, 4))

PROD, SHARED = "111122223333", "444455556666"
FOREIGN = "999988887777"  # an account that the company does not own
REGION, GLOBAL = "eu-central-1", "us-east-1"

OFFICE, CRON_HOST, VPN = "192.0.2.10", "192.0.2.40", "192.0.2.20"
HOME_IPV6 = "2001:db8:51::1f"
NAT_ADDRESS, SCANNER_ADDRESS, ROGUE_ADDRESS = "192.0.2.130", "192.0.2.135", "192.0.2.181"
ATTACKER, SECOND_ATTACKER = "198.51.100.77", "198.51.100.23"  # two strangers who know nothing of each other


def stream(name: str) -> random.Random:
    """Random numbers of one part of the story, so that a change in one part leaves the others as they were."""
    return random.Random(f"{SEED}/{name}")


def digest(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


def hex_id(prefix: str, name: str) -> str:
    """A resource id that is the same in every run: `sg-0` and 16 hexadecimal digits."""
    return f"{prefix}-0{digest(prefix + name).hex()[:16]}"


def unique_id(prefix: str, name: str) -> str:
    """A principal id or access key id, `EXAMPLE` at its end as in the documentation of AWS."""
    length = 9 if prefix in {"AKIA", "ASIA"} else 10
    return prefix + base64.b32encode(digest(prefix + name)).decode()[:length] + "EXAMPLE"


@dataclass(frozen=True)
class Role:
    name: str
    account: str = PROD
    path: str = "/"

    @property
    def id(self) -> str:
        return unique_id("AROA", self.account + self.name)

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{self.account}:role{self.path}{self.name}"

    def session_arn(self, session: str) -> str:
        return f"arn:aws:sts::{self.account}:assumed-role/{self.name}/{session}"


def service_role(name: str, service: str, account: str = PROD) -> Role:
    return Role(name, account, f"/aws-service-role/{service}/")


def sso_role(permission_set: str, account: str) -> Role:
    suffix = digest(permission_set + account).hex()[:16]
    return Role(f"AWSReservedSSO_{permission_set}_{suffix}", account, f"/aws-reserved/sso.amazonaws.com/{REGION}/")


CI = Role("github-terraform")
TASK, EXECUTION = Role("checkout-task"), Role("checkout-execution")
PLATFORM_ADMIN = Role("platform-admin")  # inherited; carries AdministratorAccess and trusts ecs-tasks
ROTATION, BATCH = Role("secret-rotation"), Role("batch-instance")
AUDIT, SCANNER = Role("security-audit"), Role("posture-scanner", SHARED)
REPORTING = Role("reporting-export")  # trusts checkout-task since a report was made in the shop; nobody remembers
ANALYTICS = Role("analytics-reader", SHARED)
ECS_SERVICE = service_role("AWSServiceRoleForECS", "ecs.amazonaws.com")
SCALING = service_role(
    "AWSServiceRoleForApplicationAutoScaling_ECSService", "ecs.application-autoscaling.amazonaws.com"
)
CONFIG = {a: service_role("AWSServiceRoleForConfig", "config.amazonaws.com", a) for a in (PROD, SHARED)}


@dataclass(frozen=True)
class User:
    """An IAM user of the production account, all of them older than the company's single sign-on."""

    name: str

    @property
    def id(self) -> str:
        return unique_id("AIDA", self.name)

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{PROD}:user/{self.name}"


LEGACY, BACKUP, PROBE = User("legacy-deploy"), User("backup-agent"), User("monitoring-probe")
LEGACY_KEY, NEW_BACKUP_KEY = unique_id("AKIA", "legacy-deploy/1"), unique_id("AKIA", "backup-agent/2")


@dataclass(frozen=True)
class Person:
    email: str
    permission_set: str
    address: str
    agent: str


BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"
CHROME = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/142.0.0.0 Safari/537.36"
)
CLARA = Person("clara.weiss@example.com", "PlatformAdmin", OFFICE, BROWSER)
BEN = Person("ben.okafor@example.com", "Developer", VPN, CHROME)
MIA = Person("mia.tanaka@example.com", "Developer", HOME_IPV6, CHROME)
DORA = Person("dora.lind@example.com", "ReadOnlyAudit", OFFICE, BROWSER)


@dataclass(frozen=True)
class Secret:
    name: str

    @property
    def arn(self) -> str:
        suffix = base64.b64encode(digest(self.name), b"xy").decode()[:6]
        return f"arn:aws:secretsmanager:{REGION}:{PROD}:secret:{self.name}-{suffix}"


SECRETS = {
    name: Secret(f"prod/{name}")
    for name in (
        *("shop/db-app", "shop/db-admin", "shop/session-key", "shop/smtp", "shop/search-api"),
        *("warehouse/sftp", "warehouse/erp-api", "marketing/mailer-api", "ci/sonar-token"),
        *("legacy/backup-passphrase", "legacy/vpn-psk", "legacy/reporting-db"),
        *("payments/card-gateway", "payments/sepa-signing", "payments/webhook"),
    )
}
TASK_SECRETS = [SECRETS[name] for name in ("shop/db-app", "shop/session-key", "payments/webhook")]
PAYMENT_SECRETS = [secret for name, secret in SECRETS.items() if name.startswith("payments/")]

KMS_KEY = f"arn:aws:kms:{REGION}:{PROD}:key/5a3c9d10-7b7e-4a53-9f1e-2f6b1c0de001"
TRAIL = f"arn:aws:cloudtrail:{REGION}:{SHARED}:trail/company-trail"
LOG_BUCKET = "example-company-cloudtrail"

VPC, DATA_VPC = hex_id("vpc", "shop"), hex_id("vpc", "data")
SG_ALB, SG_TASK, SG_AURORA = (hex_id("sg", name) for name in ("sg-ALB", "sg-ECSTask", "sg-Aurora"))
FLOW_LOG_SHOP, FLOW_LOG_DATA, FLOW_LOG_DATA_AGAIN = (hex_id("fl", name) for name in ("shop", "data", "data again"))
ENDPOINTS = {name: hex_id("vpce", name) for name in ("secretsmanager", "kms", "ecr", "logs", "ssm")}
ENDPOINT_ADDRESSES = {name: f"10.20.10.{5 + i}" for i, name in enumerate(ENDPOINTS)}


@dataclass(frozen=True)
class Subnet:
    name: str
    network: str  # the first three bytes
    zone: str
    vpc: str = VPC

    @property
    def id(self) -> str:
        return hex_id("subnet", self.name)


PUBLIC_A, PUBLIC_B = Subnet("public-a", "10.20.0", "euc1-az2"), Subnet("public-b", "10.20.1", "euc1-az3")
APP_A, APP_B = Subnet("app-a", "10.20.10", "euc1-az2"), Subnet("app-b", "10.20.11", "euc1-az3")
DATA_A, DATA_B = Subnet("data-a", "10.30.0", "euc1-az2", DATA_VPC), Subnet("data-b", "10.30.0", "euc1-az3", DATA_VPC)


@dataclass(frozen=True)
class Interface:
    """A network interface (ENI): its subnet and its private address."""

    name: str
    subnet: Subnet
    address: str
    instance: str = "-"

    @property
    def id(self) -> str:
        return hex_id("eni", self.name)


BATCH_INSTANCE = hex_id("i", "batch")
ALBS = Interface("alb-a", PUBLIC_A, "10.20.0.23"), Interface("alb-b", PUBLIC_B, "10.20.1.41")
ALB_IPV6 = "2001:db8:20::23"
NAT = Interface("nat", PUBLIC_A, "10.20.0.220")
WRITER, READER = Interface("aurora-writer", DATA_A, "10.30.0.20"), Interface("aurora-reader", DATA_B, "10.30.0.140")
BATCH_INTERFACE = Interface("batch", APP_A, "10.20.10.60", BATCH_INSTANCE)

CLUSTER = f"arn:aws:ecs:{REGION}:{PROD}:cluster/shop"
SERVICE = f"arn:aws:ecs:{REGION}:{PROD}:service/shop/checkout"
