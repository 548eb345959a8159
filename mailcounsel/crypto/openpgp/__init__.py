"""OpenPGP by gpg: the centre's key, a person's own key, and a look at a certificate.

Rules that hold for every call: bytes in and out; keys named by full fingerprint; success only if
the status says so *and* gpg exits with 0; gpg is killed when it hangs or says too much;
the network is never asked.
"""

from mailcounsel.crypto.certificate import KeyFacts as KeyFacts
from mailcounsel.crypto.openpgp.centre import Centre as Centre
from mailcounsel.crypto.openpgp.centre import Opened as Opened
from mailcounsel.crypto.openpgp.centre import make_centre as make_centre
from mailcounsel.crypto.openpgp.keys import examine as examine
from mailcounsel.crypto.openpgp.keys import verify_with as verify_with
from mailcounsel.crypto.openpgp.personal import Personal as Personal
from mailcounsel.crypto.packets import dearmour as dearmour
from mailcounsel.crypto.status import Signature as Signature
