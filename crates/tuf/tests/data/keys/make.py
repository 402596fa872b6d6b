"""Writes cases.json: keys and signatures by python-cryptography. Run by hand; every run makes new ones."""

import base64
import json
import sys

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

MESSAGE = b"what is signed"
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def spki(key):
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def pkcs1(key):
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.PKCS1).decode()


def pss(key, salt, algorithm=hashes.SHA256()):
    return key.sign(MESSAGE, padding.PSS(padding.MGF1(algorithm), salt), algorithm).hex()


def rsa_case(bits, exponent=65537):
    key = rsa.generate_private_key(exponent, bits)
    return {
        "spki": spki(key.public_key()),
        "pkcs1": pkcs1(key.public_key()),
        "signatures": {
            "salt 32": pss(key, 32),
            "salt 0": pss(key, 0),
            "salt max": pss(key, padding.PSS.MAX_LENGTH),
        },
        "other": {
            "pkcs1v15": key.sign(MESSAGE, padding.PKCS1v15(), hashes.SHA256()).hex(),
            "sha512": pss(key, 32, hashes.SHA512()),
            "mgf of sha512": key.sign(MESSAGE, padding.PSS(padding.MGF1(hashes.SHA512()), 32), hashes.SHA256()).hex(),
        },
    }


def der(*, tag, content):
    size = len(content)
    assert size < 1 << 16
    long_form = bytes([0x81, size]) if size < 256 else bytes([0x82, size >> 8, size & 255])
    return bytes([tag]) + (bytes([size]) if size < 128 else long_form) + content


def integer(number):
    return der(tag=2, content=number.to_bytes(number.bit_length() // 8 + 1, "big"))


def raw_rsa(modulus, exponent):
    """In PKCS#1, unchecked."""
    content = der(tag=0x30, content=integer(modulus) + integer(exponent))
    return f"-----BEGIN RSA PUBLIC KEY-----\n{base64.encodebytes(content).decode().strip()}\n-----END RSA PUBLIC KEY-----\n"


def ecdsa_case():
    key = ec.generate_private_key(ec.SECP256R1())
    r, s = utils.decode_dss_signature(key.sign(MESSAGE, ec.ECDSA(hashes.SHA256())))
    low, high = min(s, P256_ORDER - s), max(s, P256_ORDER - s)
    public = key.public_key()
    return {
        "spki": spki(public),
        "point": public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint).hex(),
        "compressed": public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint).hex(),
        "p384": spki(ec.generate_private_key(ec.SECP384R1()).public_key()),
        "signatures": {
            "low s": utils.encode_dss_signature(r, low).hex(),
            "high s": utils.encode_dss_signature(r, high).hex(),
        },
        "other": {
            "r is 0": utils.encode_dss_signature(0, s).hex(),
            "s is 0": utils.encode_dss_signature(r, 0).hex(),
            "r beyond the order": utils.encode_dss_signature(r + P256_ORDER, s).hex(),
            "s is the order": utils.encode_dss_signature(r, P256_ORDER).hex(),
            "fixed size": (r.to_bytes(32, "big") + s.to_bytes(32, "big")).hex(),
            "sha512": key.sign(MESSAGE, ec.ECDSA(hashes.SHA512())).hex(),
            "longer": utils.encode_dss_signature(r, s).hex() + "00",
        },
    }


modulus = rsa.generate_private_key(65537, 2048).public_key().public_numbers().n
broken_rsa = {
    "e is 1": raw_rsa(modulus, 1),
    "e is 2": raw_rsa(modulus, 2),
    "e is 0": raw_rsa(modulus, 0),
    "e is huge": raw_rsa(modulus, modulus - 2),
    "even modulus": raw_rsa(modulus - 1, 65537),
    "512 bits": raw_rsa((1 << 511) + 111, 65537),
    "1024 bits": raw_rsa((1 << 1023) + 111, 65537),
    "2047 bits": raw_rsa((1 << 2046) + 111, 65537),
    "8193 bits": raw_rsa((1 << 8192) + 111, 65537),
    "modulus is 0": raw_rsa(0, 65537),
}

cases = {
    "message": MESSAGE.decode(),
    "ecdsa": ecdsa_case(),
    "rsa": {
        "2048": rsa_case(2048),
        "2049": rsa_case(2049),
        "2055": rsa_case(2055),
        "3072, e is 3": rsa_case(3072, 3),
        "4096": rsa_case(4096),
    },
    "broken rsa": broken_rsa,
}
json.dump(cases, sys.stdout, indent=1)
print()
