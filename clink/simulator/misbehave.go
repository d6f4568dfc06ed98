package simulator

import (
	"encoding/json"
	"net/http"
	"time"
)

// instead is the answer of a fault that strikes before the request is looked at.
func (f Fault) instead() answer {
	switch f {
	case Before500:
		return refuse(http.StatusInternalServerError, "simulated: broken before the work was done")
	case HTML502:
		return page(http.StatusBadGateway, "502 Bad Gateway")
	case CodeUnder200:
		a := refuse(http.StatusBadRequest, "simulated: refused by the envelope alone")
		a.status = http.StatusOK
		return a
	case Throttle429:
		return refuse(http.StatusTooManyRequests, "simulated: too many requests")
	case NotFound404:
		return refuse(http.StatusNotFound, "simulated: session not found")
	case Redirect:
		return answer{
			kind:   kindRedirected,
			status: http.StatusFound,
			header: map[string]string{"Location": "/simulated-elsewhere"},
			isHTML: true,
		}
	case Unauthorized:
		return refuse(http.StatusUnauthorized, "simulated: the key was revoked")
	case Refuse:
		return refuse(http.StatusUnprocessableEntity, "CUSTOMER_IDENTIFIER_NOT_MATCHED")
	default: // Lost for a GET, LostBefore
		return closeConnection()
	}
}

// spoil is the answer of a fault that strikes once the session exists.
func (f Fault) spoil(data createdData, request *createRequest, slowBy time.Duration) answer {
	switch f {
	case Lost:
		return closeConnection()
	case After500:
		return refuse(http.StatusInternalServerError, "simulated: broken after the work was done")
	case HTML200:
		return page(http.StatusOK, "Welcome")
	case Cut:
		a := success(kindClosed, data)
		a.ending = half
		return a
	case Slow:
		a := success(kindCreated, data)
		a.hold = slowBy
		return a
	case WrongAmount:
		data.OriginalAmount = json.Number(majorUnits(request.minor+1, request.digits))
	case WrongCurrency:
		data.OriginalCurrency = "EUR"
		if request.originalCurrency == "EUR" {
			data.OriginalCurrency = "USD"
		}
	case WrongReference:
		data.MerchantReferenceID = "other-" + request.merchantReferenceID
	case NoURL:
		data.URL = ""
	case BadURL:
		data.URL = "javascript:alert(1)"
	case NoExpiry:
		data.ExpireTime = ""
	}
	return success(kindCreated, data)
}
