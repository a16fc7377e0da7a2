"""To a Databricks workspace: the retail job by the SDK, and the whole repository as an archive to import.

`databricks.yml` says the same to the Databricks CLI; a test keeps it, this room and `solutions/retail_job` equal.
"""

from helpers.deploy.archive import write_archive
from helpers.deploy.connection import connect
from helpers.deploy.deployment import Deployment, arrive, deploy
from helpers.deploy.errors import (
    CatalogMissing,
    DeployError,
    NoCredentials,
    NotAllowed,
    NotReached,
    Occupied,
    QuotaReached,
)
from helpers.deploy.places import TARGETS, Place, Target

__all__ = [
    "TARGETS",
    "CatalogMissing",
    "DeployError",
    "Deployment",
    "NoCredentials",
    "NotAllowed",
    "NotReached",
    "Occupied",
    "Place",
    "QuotaReached",
    "Target",
    "arrive",
    "connect",
    "deploy",
    "write_archive",
]
