/* Every error that S3 documents, and what stores like it add, says what to do. */
#include "core/s3/s3_remedy.h"

#include "core/s3/s3_answer.h"
#include "core/s3/s3_dialect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    int status;
    const char *code;
    enum s3_outcome outcome;
    const char *remedy; /* words of the reason */
} errors[] = {
    {403, "AccessDenied", S3_REFUSED, "allow s3:PutObject on arn:aws:s3:::woogles/prod/*"},
    {400, "AccessControlListNotSupported", S3_REFUSED, "something adds one on the way"},
    {403, "AccountProblem", S3_REFUSED, "its bill or state"},
    {403, "AllAccessDisabled", S3_REFUSED, "take another bucket"},
    {400, "AuthorizationHeaderMalformed", S3_REFUSED, "set region"},
    {400, "AuthorizationQueryParametersError", S3_REFUSED, "check region"},
    {400, "BadDigest", S3_RETRY, "in trouble"},
    {400, "BadRequest", S3_REFUSED, "is the endpoint S3's"},
    {409, "BucketAlreadyExists", S3_REFUSED, "is the endpoint S3's"},
    {409, "ConditionalRequestConflict", S3_RETRY, "in trouble"},
    {400, "ConnectionClosedByRequester", S3_REFUSED, "look at the proxy"},
    {400, "CredentialsNotSupported", S3_REFUSED, "create access keys"},
    {400, "EndpointNotFound", S3_REFUSED, "mend endpoint"},
    {400, "EntityTooLarge", S3_REFUSED, "lower limits.profile"},
    {400, "EntityTooSmall", S3_REFUSED, "look at the proxy"},
    {400, "ExpiredToken", S3_REFUSED, "replace AWS_SESSION_TOKEN"},
    {400, "IllegalLocationConstraintException", S3_REFUSED, "set region"},
    {400, "IllegalVersioningConfigurationException", S3_REFUSED, "mend it"},
    {400, "IncompleteBody", S3_RETRY, "in trouble"},
    {400, "IncorrectEndpoint", S3_REFUSED, "set region and endpoint"},
    {500, "InternalError", S3_RETRY, "in trouble"},
    {403, "InvalidAccessKeyId", S3_REFUSED, "take credentials of this store"},
    {400, "InvalidAccessPoint", S3_REFUSED, "give the bucket's own name"},
    {400, "InvalidArgument", S3_REFUSED,
        "likely one of encryption (which some stores take over https:// only) storage_class tags"},
    {400, "InvalidBucketName", S3_REFUSED, "mend bucket"},
    {400, "InvalidBucketOwnerAWSAccountID", S3_REFUSED, "expected_bucket_owner"},
    {409, "InvalidBucketState", S3_REFUSED, "look at its settings"},
    {400, "InvalidDigest", S3_REFUSED, "look at the proxy"},
    {400, "InvalidEncryptionAlgorithmError", S3_REFUSED, "mend encryption"},
    {400, "InvalidHostHeader", S3_REFUSED, "path_style"},
    {400, "InvalidLocationConstraint", S3_REFUSED, "mend region"},
    {403, "InvalidObjectState", S3_REFUSED, "restore it first"},
    {400, "InvalidPart", S3_REFUSED, "begins anew"},
    {400, "InvalidPartOrder", S3_REFUSED, "begins anew"},
    {403, "InvalidPayer", S3_REFUSED, "its bill or state"},
    {400, "InvalidRegion", S3_REFUSED, "mend region"},
    {400, "InvalidRequest", S3_REFUSED,
        "likely one of encryption (which some stores take over https:// only) storage_class tags"},
    {403, "InvalidSecurity", S3_REFUSED, "replace them"},
    {400, "InvalidStorageClass", S3_REFUSED, "mend storage_class"},
    {400, "InvalidTag", S3_REFUSED, "mend tags"},
    {400, "InvalidToken", S3_REFUSED, "replace AWS_SESSION_TOKEN"},
    {400, "InvalidURI", S3_REFUSED, "check prefix and endpoint"},
    {400, "KeyTooLongError", S3_REFUSED, "shorten prefix"},
    {400, "KMS.DisabledException", S3_REFUSED, "enable it"},
    {400, "KMS.InvalidKeyUsageException", S3_REFUSED, "take a symmetric one"},
    {400, "KMS.InvalidStateException", S3_REFUSED, "about to be deleted"},
    {400, "KMS.KMSInvalidStateException", S3_REFUSED, "about to be deleted"},
    {400, "KMS.KeyUnavailableException", S3_REFUSED, "look at its key store"},
    {400, "KMS.NotFoundException", S3_REFUSED, "mend kms_key"},
    {400, "KMS.ThrottlingException", S3_RETRY, "in trouble"},
    {400, "KMS.UnrecognizedClientException", S3_REFUSED, "replace them"},
    {400, "MalformedACLError", S3_REFUSED, "is the endpoint S3's"},
    {400, "MalformedXML", S3_REFUSED, "look at the proxy"},
    {400, "MaxMessageLengthExceeded", S3_REFUSED, "lower limits.profile"},
    {400, "MetadataTooLarge", S3_REFUSED, "shorten metadata"},
    {405, "MethodNotAllowed", S3_REFUSED, "does the endpoint speak S3"},
    {403, "MissingAuthenticationToken", S3_REFUSED, "does a proxy take headers out"},
    {411, "MissingContentLength", S3_REFUSED, "look at the proxy"},
    {400, "MissingRequestBodyError", S3_REFUSED, "look at the proxy"},
    {400, "MissingSecurityElement", S3_REFUSED, "look at the proxy"},
    {400, "MissingSecurityHeader", S3_REFUSED, "look at the proxy"},
    {404, "NoSuchAccessPoint", S3_REFUSED, "give the bucket's own name"},
    {404, "NoSuchBucket", S3_REFUSED, "create it or mend bucket"},
    {404, "NoSuchKey", S3_REFUSED, "there is no such object"},
    {404, "NoSuchUpload", S3_REFUSED, "begins anew"},
    {404, "NoSuchVersion", S3_REFUSED, "no such version"},
    {501, "NotImplemented", S3_REFUSED, "take out what it lacks"},
    {403, "NotSignedUp", S3_REFUSED, "its bill or state"},
    {404, "ObjectLockConfigurationNotFoundError", S3_REFUSED, "look at its settings"},
    {409, "OperationAborted", S3_RETRY, "in trouble"},
    {301, "PermanentRedirect", S3_REFUSED, "set region"},
    {412, "PreconditionFailed", S3_REFUSED, "is not overwritten"},
    {307, "Redirect", S3_REFUSED, "set region"},
    {400, "RequestHeaderSectionTooLarge", S3_REFUSED, "shorten metadata and tags"},
    {400, "RequestTimeout", S3_RETRY, "in trouble"},
    {403, "RequestTimeTooSkewed", S3_REFUSED, "set it right"},
    {503, "ServiceUnavailable", S3_RETRY, "in trouble"},
    {403, "SignatureDoesNotMatch", S3_REFUSED, "does not belong to the access key"},
    {503, "SlowDown", S3_RETRY, "in trouble"},
    {307, "TemporaryRedirect", S3_REFUSED, "set region"},
    {400, "TokenRefreshRequired", S3_REFUSED, "replace AWS_SESSION_TOKEN"},
    {400, "TooManyBuckets", S3_REFUSED, "is the endpoint S3's"},
    {403, "UnauthorizedAccessError", S3_REFUSED, "replace them"},
    {400, "UnexpectedContent", S3_REFUSED, "is the endpoint S3's"},
    {400, "UnsupportedArgument", S3_REFUSED, "is the endpoint S3's"},
    {400, "UnsupportedSignature", S3_REFUSED, "take a newer store"},
    {400, "UserKeyMustBeSpecified", S3_REFUSED, "is the endpoint S3's"},
    {400, "XAmzContentSHA256Mismatch", S3_RETRY, "in trouble"},
    {400, "XAmzContentChecksumMismatch", S3_RETRY, "in trouble"},
    /* Ceph */
    {403, "QuotaExceeded", S3_REFUSED, "raise it"},
    {403, "UserSuspended", S3_REFUSED, "have the store enable it"},
    {404, "NoSuchUser", S3_REFUSED, "create it"},
    /* MinIO */
    {507, "XMinioStorageFull", S3_RETRY, "add some"},
    {400, "XMinioAdminBucketQuotaExceeded", S3_REFUSED, "raise it"},
    {503, "XMinioServerNotInitialized", S3_RETRY, "in trouble"},
    {501, "KMSNotConfigured", S3_REFUSED, "take encryption out"},
    {400, "InvalidEncryptionMethod", S3_REFUSED, "mend encryption"},
    {400, "XMinioParentIsObject", S3_REFUSED, "take another"},
    {400, "XMinioObjectExistsAsDirectory", S3_REFUSED, "take another"},
    {400, "XMinioInvalidObjectName", S3_REFUSED, "mend prefix"},
    /* Cloudflare R2 */
    {401, "Unauthorized", S3_REFUSED, "replace them"},
    {429, "TooManyRequests", S3_RETRY, "in trouble"},
    /* Google */
    {400, "UserProjectMissing", S3_REFUSED, "turn that off"},
    {403, "UserProjectAccountProblem", S3_REFUSED, "its bill or state"},
    {400, "ExcessHeaderValues", S3_REFUSED, "take out encryption"},
    /* Backblaze */
    {403, "StorageCapExceeded", S3_REFUSED, "raise it"},
    /* Without a code, which a proxy has none of. */
    {401, "", S3_REFUSED, "replace them"},
    {403, "", S3_REFUSED, "allow s3:PutObject"},
    {407, "", S3_REFUSED, "wants a user"},
    {412, "", S3_REFUSED, "is not overwritten"},
    {413, "", S3_REFUSED, "lower limits.profile"},
    {502, "", S3_RETRY, "in trouble"},
    {404, "", S3_REFUSED, "does the endpoint speak S3"},
    /* Of tomorrow. */
    {400, "SomethingNew", S3_REFUSED, "HTTP 400, SomethingNew: the store's own words"},
};

static struct s3_verdict judge(
    enum s3_action action, int status, const char *code, const char *message)
{
    const struct s3_question question = {.action = action,
        .bucket = "woogles",
        .prefix = "prod",
        .region = "us-east-1",
        .access_key = "AKIASECRETID",
        .encryption = "AES256",
        .storage_class = "STANDARD",
        .tags = true};
    char body[500];
    struct s3_verdict verdict;
    int size = snprintf(body, sizeof body,
        *code ? "<Error><Code>%s</Code><Message>%s</Message></Error>" : "<html/>", code, message);
    const struct s3_answer answer = {.status = status, .body = body, .size = (size_t)size};
    s3_answer_judge(&question, &answer, &verdict);
    return verdict;
}

static void every_error_names_its_remedy(void **state)
{
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        struct s3_verdict verdict = judge(
            S3_PUT_OBJECT, errors[i].status, errors[i].code, "the store's own words");
        bool named = strstr(verdict.reason, errors[i].code) != NULL;
        bool line = !strchr(verdict.reason, '\n') && strlen(verdict.reason) < 500;
        if (verdict.outcome == errors[i].outcome && strstr(verdict.reason, errors[i].remedy) &&
            named && line)
            continue;
        print_error("%s: %d, %s\n", errors[i].code, (int)verdict.outcome, verdict.reason);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html */
static const struct {
    enum s3_action action;
    const char *message, *remedy;
} denials[] = {
    {S3_PUT_OBJECT, "Access Denied",
        "allow s3:PutObject on arn:aws:s3:::woogles/prod/*, s3:PutObjectTagging as well"},
    {S3_UPLOAD_PART, "Access Denied", "allow s3:PutObject on arn:aws:s3:::woogles/prod/*"},
    {S3_ABORT_UPLOAD, "Access Denied", "allow s3:AbortMultipartUpload on arn:aws:s3:::woogles"},
    {S3_GET_OBJECT, "Access Denied", "allow s3:GetObject on arn:aws:s3:::woogles/prod/*"},
    {S3_LIST_BUCKET, "Access Denied", "allow s3:ListBucket on arn:aws:s3:::woogles"},
    {S3_PUT_OBJECT,
        "User: arn:aws:sts::1:assumed-role/x/y is not authorized to perform: s3:PutObjectTagging "
        "on resource: \"arn:aws:s3:::woogles/prod/k\" because no identity-based policy allows it",
        "access denied: allow s3:PutObjectTagging on arn:aws:s3:::woogles/prod/*"},
    {S3_PUT_OBJECT,
        "User: x is not authorized to perform: kms:GenerateDataKey on resource: "
        "arn:aws:kms:eu-west-1:1:key/k because no resource-based policy allows it",
        "access denied: allow kms:GenerateDataKey on the key"},
    {S3_PUT_OBJECT,
        "User: x is not authorized to perform: s3:PutObject on resource: y with an explicit deny "
        "in a resource-based policy",
        "a policy forbids s3:PutObject on"},
    {S3_PUT_OBJECT, "is not authorized to perform: ", "allow s3:PutObject on"},
    {S3_PUT_OBJECT, "is not authorized to perform: nonsense", "allow s3:PutObject on"},
};

static void a_denial_names_the_right(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof denials / sizeof denials[0]; i++) {
        struct s3_verdict verdict = judge(
            denials[i].action, 403, "AccessDenied", denials[i].message);
        assert_true(verdict.denied);
        if (!strstr(verdict.reason, denials[i].remedy))
            fail_msg("denial %zu: %s", i, verdict.reason);
    }
}

static void the_owner_is_a_reason_as_well(void **state)
{
    (void)state;
    const struct s3_question question = {.action = S3_CREATE_UPLOAD,
        .bucket = "woogles",
        .region = "cn-north-1",
        .access_key = "A",
        .kms_key = "k",
        .owner = "123456789012"};
    const struct s3_answer answer = {.status = 403, .body = "", .size = 0};
    struct s3_verdict verdict;
    s3_answer_judge(&question, &answer, &verdict);
    assert_string_equal(verdict.reason,
        "access denied: allow s3:PutObject on arn:aws-cn:s3:::woogles/*, kms:GenerateDataKey on "
        "the key; is the account 123456789012 the bucket's owner?");
}

static void an_upload_that_cannot_be_ended_begins_anew(void **state)
{
    (void)state;
    static const char *const codes[] = {
        "InvalidPart", "InvalidPartOrder", "EntityTooSmall", "ConditionalRequestConflict"};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        struct s3_verdict verdict = judge(S3_COMPLETE_UPLOAD, 400, codes[i], "m");
        assert_true(verdict.spoilt);
        assert_int_equal(verdict.outcome, S3_RETRY);
    }
    assert_true(judge(S3_UPLOAD_PART, 404, "NoSuchUpload", "m").gone);
    assert_null(s3_remedy_of("SomethingNew"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_names_its_remedy),
        cmocka_unit_test(a_denial_names_the_right),
        cmocka_unit_test(the_owner_is_a_reason_as_well),
        cmocka_unit_test(an_upload_that_cannot_be_ended_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
