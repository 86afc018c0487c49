#include "core/s3/s3_remedy.h"

#include <stddef.h>
#include <string.h>

#define OTHER_STORE "the store does not take this; is the endpoint S3's or one that speaks like it?"
#define ON_THE_WAY                                                                                 \
    "something between here and the store changes requests: look at the proxy, or at the server "  \
    "in front of the store"
#define PAYMENT                                                                                    \
    "the account behind the bucket has a problem: see to its bill or state with the provider"
#define QUOTA "the store's quota is used up: raise it, or remove old incidents (a lifecycle rule)"
#define KMS   "the KMS key of encryption.kms_key cannot be used: "

static const struct {
    const char *code, *text;
} remedies[] = {
    {"AccessControlListNotSupported",
        "the bucket takes no ACLs, and none was sent: something adds one on the way"},
    {"AccessPointNotFound", "there is no such access point: give the bucket's own name"},
    {"AccountProblem", PAYMENT},
    {"AllAccessDisabled",
        "all access to the bucket is disabled: ask its provider, or take another bucket"},
    {"AuthorizationQueryParametersError",
        "the store does not understand the signature of the link: check region"},
    {"BadRequest", OTHER_STORE},
    {"BandwidthLimitExceeded", QUOTA},
    {"BucketAlreadyExists", OTHER_STORE},
    {"ConnectionClosedByRequester", ON_THE_WAY},
    {"CredentialsNotSupported", "the store takes no credentials of this kind: create access keys"},
    {"EndpointNotFound", "the endpoint is not there: mend endpoint"},
    {"EntityTooLarge",
        "the file is larger than the store takes: lower limits.profile, or raise the store's limit "
        "(a proxy in front of it may have one as well)"},
    {"EntityTooSmall", "a part of the upload arrived short: " ON_THE_WAY},
    {"ExcessHeaderValues",
        "the store refuses a header that was sent: take out encryption, storage_class or metadata"},
    {"IllegalVersioningConfigurationException",
        "the bucket's versioning is misconfigured: mend it"},
    {"IncorrectEndpoint", "the bucket is in another region: set region and endpoint"},
    {"InvalidAccessPoint", "there is no such access point: give the bucket's own name"},
    {"InvalidAddressingHeader", "the store wants the bucket in the path: set path_style: true"},
    {"InvalidBucketName", "the store takes no bucket of this name: mend bucket"},
    {"InvalidBucketOwnerAWSAccountID",
        "expected_bucket_owner is no account that the store knows: mend it"},
    {"InvalidBucketState", "the bucket is in a state that takes no objects: look at its settings"},
    {"InvalidDigest", ON_THE_WAY},
    {"InvalidEncryptionAlgorithmError", "the store takes no such encryption: mend encryption"},
    {"InvalidEncryptionMethod", "the store takes no such encryption: mend encryption"},
    {"InvalidHostHeader", "the store does not know this host: mend endpoint, or set path_style"},
    {"InvalidObjectState",
        "the object is archived: restore it first, or take a storage class that can be read"},
    {"InvalidPart", "the store lost parts of an upload: it begins anew"},
    {"InvalidPartOrder", "the store lost parts of an upload: it begins anew"},
    {"InvalidPayer", PAYMENT},
    {"InvalidRegion", "the store has no such region: mend region"},
    {"InvalidLocationConstraint", "the store has no such region: mend region"},
    {"InvalidSecurity", "the credentials are not valid: replace them"},
    {"InvalidStorageClass", "the store has no such storage class: mend storage_class"},
    {"InvalidTag", "the store does not take a tag: mend tags"},
    {"InvalidURI", "the store does not take this address: check prefix and endpoint"},
    {"KeyTooLongError", "the key is longer than the store takes: shorten prefix"},
    {"KMS.DisabledException", KMS "it is disabled; enable it"},
    {"KMS.InvalidKeyUsageException",
        KMS "it is of a kind that does not encrypt; take a symmetric one"},
    {"KMS.InvalidStateException", KMS "its state does not allow it; is it about to be deleted?"},
    {"KMS.KMSInvalidStateException", KMS "its state does not allow it; is it about to be deleted?"},
    {"KMS.KeyUnavailableException", KMS "it is not available; look at its key store"},
    {"KMS.NotFoundException", KMS "there is no such key in the bucket's region; mend kms_key"},
    {"KMS.UnrecognizedClientException", KMS "KMS does not know the credentials; replace them"},
    {"KMSNotConfigured", "the store has no KMS: take encryption out, or set one up there"},
    {"MalformedACLError", OTHER_STORE},
    {"MalformedXML", ON_THE_WAY},
    {"MaxMessageLengthExceeded",
        "the request is larger than the store takes: lower limits.profile"},
    {"MetadataTooLarge", "the metadata is larger than the store takes: shorten metadata"},
    {"MethodNotAllowed",
        "the store does not allow this here: does the endpoint speak S3, and is it a bucket's?"},
    {"MissingAuthenticationToken", "the store saw no signature: does a proxy take headers out?"},
    {"MissingContentLength", ON_THE_WAY},
    {"MissingRequestBodyError", ON_THE_WAY},
    {"MissingSecurityElement", ON_THE_WAY},
    {"MissingSecurityHeader", ON_THE_WAY},
    {"NoSuchAccessPoint", "there is no such access point: give the bucket's own name"},
    {"NoSuchUpload", "the upload in parts is not there any more (a lifecycle rule may end them): "
                     "it begins anew"},
    {"NoSuchUser", "the store does not know the user of these credentials: create it"},
    {"NoSuchVersion", "there is no such version of the object"},
    {"NotImplemented",
        "the store does not know a part of the request: take out what it lacks (encryption, "
        "storage_class, expected_bucket_owner)"},
    {"NotSignedUp", PAYMENT},
    {"ObjectLockConfigurationNotFoundError", "the bucket has no object lock: look at its settings"},
    {"PreconditionFailed", "it is there already and is not overwritten"},
    {"QuotaExceeded", QUOTA},
    {"RequestHeaderSectionTooLarge", "the headers are too large: shorten metadata and tags"},
    {"RequestIsNotMultiPartContent", OTHER_STORE},
    {"StorageCapExceeded", QUOTA},
    {"TooManyBuckets", OTHER_STORE},
    {"Unauthorized", "the store does not take these credentials: replace them"},
    {"UnauthorizedAccess", "the store does not take these credentials here: replace them"},
    {"UnauthorizedAccessError", "the store does not take these credentials here: replace them"},
    {"UnexpectedContent", OTHER_STORE},
    {"UnsupportedArgument", OTHER_STORE},
    {"UnsupportedSignature", "the store takes no Signature Version 4: take a newer store"},
    {"UserKeyMustBeSpecified", OTHER_STORE},
    {"UserSuspended", "the user of these credentials is suspended: have the store enable it"},
    {"UserProjectAccountProblem", PAYMENT},
    {"UserProjectMissing",
        "the bucket has its requester pay, which is not done here: turn that off"},
    {"XAdminBucketQuotaExceeded", QUOTA},
    {"XMinioAdminBucketQuotaExceeded", QUOTA},
    {"XMinioInvalidObjectName", "the store takes no such name: mend prefix"},
    {"XMinioObjectExistsAsDirectory", "prefix is in use as an object's name: take another"},
    {"XMinioParentIsObject", "prefix is in use as an object's name: take another"},
    {"XMinioStorageFull", "the store's disks are full: add some, or remove old incidents"},
};

const char *s3_remedy_of(const char *code)
{
    for (size_t i = 0; i < sizeof remedies / sizeof remedies[0]; i++)
        if (!strcmp(remedies[i].code, code))
            return remedies[i].text;
    return NULL;
}
