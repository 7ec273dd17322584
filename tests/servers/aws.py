"""AWS Secrets Manager on loopback, with some secrets in it, that checks the signature of every request.

Prints one line of JSON with its address and the credentials of a user who may read, then serves until its standard input
ends.
"""

import json
import logging
import sys
import urllib.request

import boto3
from moto.server import ThreadedMotoServer

SECRETS = {
    "prod/app": json.dumps({"user": "app", "password": "aws-Pa55-w/rd+1", "port": 5432, "nested": {}}),
    "prod/plain": "aws-plain-text-value",
}
MAY_READ = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"},
    ],
}

logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
url = f"http://{host}:{port}"


def client(service):
    return boto3.client(
        service,
        region_name="eu-west-1",
        endpoint_url=url,
        aws_access_key_id="setup",
        aws_secret_access_key="setup",
    )


manager = client("secretsmanager")
for name, text in SECRETS.items():
    manager.create_secret(Name=name, SecretString=text)
manager.create_secret(Name="prod/binary", SecretBinary=b"\x00\x01")

iam = client("iam")
iam.create_user(UserName="reader")
iam.put_user_policy(UserName="reader", PolicyName="read", PolicyDocument=json.dumps(MAY_READ))
key = iam.create_access_key(UserName="reader")["AccessKey"]

# From now on requests need a valid signature and a permission.
reset = urllib.request.Request(f"{url}/moto-api/reset-auth", data=b"0", headers={"Content-Type": "text/plain"})
urllib.request.urlopen(reset).read()
print(json.dumps({"url": url, "id": key["AccessKeyId"], "secret": key["SecretAccessKey"]}), flush=True)
sys.stdin.read()
