"""The two tables, column by column. The store, the engines, the documentation and the checks all read them from here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

Type = Literal["varchar", "integer", "bigint", "double", "boolean", "timestamp", "date"]

ARROW: dict[str, pa.DataType] = {
    "varchar": pa.string(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us"),  # always UTC; without a zone, as Athena and Trino read Parquet timestamps
    "date": pa.date32(),
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its Trino type, what it means, and where in the raw log it comes from."""

    name: str
    type: Type
    about: str
    origin: str


@dataclass(frozen=True, slots=True)
class Table:
    """One of the two tables. `event_date` is the partition key: a folder name in the store, not a column of its files."""

    name: str
    about: str
    columns: tuple[Column, ...]
    derived: tuple[Column, ...] = ()  # worked out in queries/sources/derived/ when a query asks, and never stored

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def arrow(self) -> pa.Schema:
        """The whole table as Arrow, `event_date` included."""
        return pa.schema([(column.name, ARROW[column.type]) for column in self.columns])

    @property
    def file_arrow(self) -> pa.Schema:
        """What one Parquet file of the store holds: everything but the partition key."""
        return pa.schema([(c.name, ARROW[c.type]) for c in self.columns if c.name != PARTITION_KEY])


PARTITION_KEY = "event_date"


def _columns(rows: str) -> tuple[Column, ...]:
    """Columns from lines of `name | type | about | origin`: the table below stays a table."""
    cells = ([cell.strip() for cell in line.split("|")] for line in rows.strip().splitlines())
    return tuple(Column(name, kind, about, origin) for name, kind, about, origin in cells)  # type: ignore[arg-type]


CLOUDTRAIL_EVENTS = Table(
    "cloudtrail_events",
    "One row per CloudTrail event.",
    _columns("""
event_time            | timestamp | when the request was completed, UTC                                     | eventTime
event_date            | date      | the day of `event_time`, UTC; the partition key                         | eventTime
event_id              | varchar   | the event's id; `sha256:…` of the record where the log gives none       | eventID
event_source          | varchar   | the AWS service called, for example `ecs.amazonaws.com`                 | eventSource
service               | varchar   | `event_source` without `.amazonaws.com`                                 | eventSource
event_name            | varchar   | the API operation                                                       | eventName
event_type            | varchar   | `AwsApiCall`, `AwsServiceEvent`, `AwsConsoleSignIn`, …                  | eventType
event_category        | varchar   | `Management`, `Data`, `NetworkActivity`, `Insight`; NULL in old records | eventCategory
read_only             | boolean   | whether the call changes nothing (AssumeRole counts as read-only)       | readOnly
aws_region            | varchar   | the region called; global services say `us-east-1`                      | awsRegion
account_id            | varchar   | the account the event was delivered to, else the identity's             | recipientAccountId, userIdentity.accountId
source_ip             | varchar   | as logged: an address, a service name, `AWS Internal`                   | sourceIPAddress
user_agent            | varchar   | as logged; chosen by the caller                                         | userAgent
error_code            | varchar   | NULL when the call succeeded                                            | errorCode
error_message         | varchar   | as logged                                                               | errorMessage
outcome               | varchar   | `ok`, `denied` (every spelling of it) or `error`                        | errorCode, errorMessage, responseElements
identity_type         | varchar   | `Root`, `IAMUser`, `AssumedRole`, `AWSService`, …                       | userIdentity.type
principal_arn         | varchar   | the user, role, root or service behind the call; never a session        | userIdentity
principal_name        | varchar   | its short name                                                          | userIdentity
principal_account     | varchar   | the account the principal belongs to                                    | userIdentity.accountId
session_name          | varchar   | the role session's name; an ECS task's id, an instance's id, an e-mail  | userIdentity.arn, userIdentity.principalId
access_key_id         | varchar   | the key that signed the call                                            | userIdentity.accessKeyId
invoked_by            | varchar   | the AWS service that called on the principal's behalf                   | userIdentity.invokedBy
mfa                   | boolean   | whether the session was opened with MFA                                 | userIdentity.sessionContext.attributes
session_created       | timestamp | when the session's credentials were issued, UTC                         | userIdentity.sessionContext.attributes
source_identity       | varchar   | the identity carried through role chaining                              | userIdentity.sessionContext.sourceIdentity
on_behalf_of          | varchar   | the IAM Identity Center user id                                         | userIdentity.onBehalfOf.userId
resource_arn          | varchar   | the thing acted on: an ARN, or its name where the log gives no ARN      | resources, requestParameters, errorMessage
request_parameters    | varchar   | JSON text as logged                                                     | requestParameters
response_elements     | varchar   | JSON text as logged                                                     | responseElements
additional_event_data | varchar   | JSON text as logged                                                     | additionalEventData
resources             | varchar   | JSON text as logged                                                     | resources
user_identity         | varchar   | JSON text as logged                                                     | userIdentity
request_id            | varchar   | the service's request id                                                | requestID
shared_event_id       | varchar   | the same in every account that got a copy of the event                  | sharedEventID
vpc_endpoint_id       | varchar   | the VPC endpoint the call came through                                  | vpcEndpointId
tls_version           | varchar   | for example `TLSv1.3`                                                   | tlsDetails.tlsVersion
extra                 | varchar   | JSON object of every other key, and of values no column holds as logged | all other keys
log_file              | varchar   | the file the event was read from                                        | the file
"""),
    _columns("""
hand | varchar | whose: `person`, `automation` (infrastructure as code, a pipeline), `workload` (an instance, task or function), `service` (AWS, for itself or for someone), `unknown` | invoked_by, identity, session_name, user_agent
"""),
)

FLOW_RECORDS = Table(
    "flow_records",
    "One row per VPC Flow Logs record, versions 2 to 11. `-` is NULL. NODATA and SKIPDATA rows are kept.",
    _columns("""
start_time                 | timestamp | first packet of the aggregation interval, UTC                          | start
end_time                   | timestamp | last packet of the aggregation interval, UTC                           | end
event_date                 | date      | the day of `start_time`, UTC; the partition key                        | start
version                    | integer   | highest version among the record's fields                              | version
account_id                 | varchar   | owner of the network interface                                         | account-id
interface_id               | varchar   | the network interface (ENI)                                            | interface-id
srcaddr                    | varchar   | source address, on the interface's own side                            | srcaddr
dstaddr                    | varchar   | destination address, on the interface's own side                       | dstaddr
srcport                    | integer   | source port; 0 for ICMP                                                | srcport
dstport                    | integer   | destination port; 0 for ICMP                                           | dstport
protocol                   | integer   | IANA protocol number: 1 ICMP, 6 TCP, 17 UDP, 58 ICMPv6                 | protocol
packets                    | bigint    | packets in the interval                                                | packets
bytes                      | bigint    | bytes in the interval                                                  | bytes
action                     | varchar   | `ACCEPT` or `REJECT`                                                   | action
log_status                 | varchar   | `OK`, `NODATA`, or `SKIPDATA`: records were lost                       | log-status
vpc_id                     | varchar   | the VPC                                                                | vpc-id
subnet_id                  | varchar   | the subnet                                                             | subnet-id
instance_id                | varchar   | the EC2 instance; NULL for Fargate, NAT gateways and endpoints         | instance-id
tcp_flags                  | integer   | OR of the flags seen: FIN 1, SYN 2, RST 4, SYN-ACK 18                  | tcp-flags
type                       | varchar   | `IPv4`, `IPv6` or `EFA`                                                | type
pkt_srcaddr                | varchar   | source address of the packet itself (behind NAT)                       | pkt-srcaddr
pkt_dstaddr                | varchar   | destination address of the packet itself (behind NAT)                  | pkt-dstaddr
region                     | varchar   | the region                                                             | region
az_id                      | varchar   | the availability zone id                                               | az-id
sublocation_type           | varchar   | `wavelength`, `outpost` or `localzone`                                 | sublocation-type
sublocation_id             | varchar   | id of the sublocation                                                  | sublocation-id
pkt_src_aws_service        | varchar   | AWS range of the packet's source, for example `S3`                     | pkt-src-aws-service
pkt_dst_aws_service        | varchar   | AWS range of the packet's destination                                  | pkt-dst-aws-service
flow_direction             | varchar   | `ingress` or `egress`, seen from the interface                         | flow-direction
traffic_path               | integer   | way out, egress only: 1 same VPC, 2 and 8 internet gateway, …          | traffic-path
ecs_cluster_arn            | varchar   | ECS cluster                                                            | ecs-cluster-arn
ecs_cluster_name           | varchar   | ECS cluster                                                            | ecs-cluster-name
ecs_container_instance_arn | varchar   | ECS container instance; NULL on Fargate                                | ecs-container-instance-arn
ecs_container_instance_id  | varchar   | ECS container instance; NULL on Fargate                                | ecs-container-instance-id
ecs_container_id           | varchar   | runtime id of the first container                                      | ecs-container-id
ecs_second_container_id    | varchar   | runtime id of the second container                                     | ecs-second-container-id
ecs_service_name           | varchar   | ECS service; NULL for a task outside a service                         | ecs-service-name
ecs_task_definition_arn    | varchar   | ECS task definition                                                    | ecs-task-definition-arn
ecs_task_arn               | varchar   | ECS task                                                               | ecs-task-arn
ecs_task_id                | varchar   | ECS task id, which is also the task role's session name                | ecs-task-id
reject_reason              | varchar   | `BPA` or `EC`; NULL for security group and network ACL rejects         | reject-reason
resource_id                | varchar   | regional NAT gateway id                                                | resource-id
encryption_status          | integer   | 0 none, 1 Nitro, 2 application, 3 both                                 | encryption-status
instance_tag               | varchar   | percent-encoded tag value, chosen in the flow log                      | instance-tag
instance_tag_2             | varchar   | percent-encoded tag value, chosen in the flow log                      | instance-tag-2
interface_tag              | varchar   | percent-encoded tag value, chosen in the flow log                      | interface-tag
interface_tag_2            | varchar   | percent-encoded tag value, chosen in the flow log                      | interface-tag-2
asg_tag                    | varchar   | percent-encoded tag value, chosen in the flow log                      | asg-tag
asg_tag_2                  | varchar   | percent-encoded tag value, chosen in the flow log                      | asg-tag-2
interface_type             | varchar   | `nat_gateway`, `vpc_endpoint`, …                                       | interface-type
next_hop_interface_id      | varchar   | the interface at the far side                                          | next-hop-interface-id
next_hop_subnet_id         | varchar   | the subnet at the far side                                             | next-hop-subnet-id
next_hop_az_id             | varchar   | the availability zone at the far side                                  | next-hop-az-id
next_hop_vpc_id            | varchar   | the VPC at the far side                                                | next-hop-vpc-id
next_hop_interface_type    | varchar   | kind of interface at the far side                                      | next-hop-interface-type
extra                      | varchar   | JSON object of fields that this version does not know, as logged       | all other fields
log_file                   | varchar   | the file the record was read from                                      | the file
"""),
)

TABLES: dict[str, Table] = {table.name: table for table in (CLOUDTRAIL_EVENTS, FLOW_RECORDS)}
